"""Where the mixed images of a distillation come from."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_world_size
from mmengine.runner import IterBasedTrainLoop
from mmpretrain.registry import BATCH_AUGMENTS, DATA_SAMPLERS
from torch import Tensor

from mmtmix.checks import check_instance, check_keys
from mmtmix.datasets import EndlessSampler
from mmtmix.datasets.class_names import compare_datasets
from mmtmix.engine.labels import check_labels, iter_labelled
from mmtmix.engine.mixing import check_batch_size
from mmtmix.engine.runner_privates import shared_seed
from mmtmix.engine.seeded_batches import MIXED, seeded_batches
from mmtmix.models.augments import BatchAugment
from mmtmix.models.classifiers.labels import read_scores
from mmtmix.models.teachers import ChannelOrder, FrozenTeacher, dataset_order, loaded_order


@dataclass
class MixedBatch:
    """Mixed images and what is known of them.

    Attributes:
        inputs: As the student takes them, (M, C, H, W).
        targets: Soft labels (M, num_classes); None where they are not asked for.
        clean_logits: The teacher's for the clean batch, where mixing has computed them.
        logits: The teacher's for the mixes, where mixing has computed them.
    """

    inputs: Tensor
    targets: Tensor | None = None
    clean_logits: Tensor | None = None
    logits: Tensor | None = None


class Mixes(metaclass=ABCMeta):
    """A source of mixed images, one batch a step.

    Its constructor reads no file: a test calls it too, and has neither a mixer's files nor mixed
    images.
    """

    def load(self) -> None:  # noqa: B027  (optional)
        """Read the files that mixing needs, once it is known that the run trains."""

    def prepare(self, runner: Any, num_classes: int | None, needs_targets: bool) -> None:  # noqa: B027  (optional)
        """Get ready, after a resume and before the first step."""

    def begin_epoch(self, runner: Any) -> None:  # noqa: B027  (optional)
        """Go on from the run's iteration."""

    def end_epoch(self) -> None:  # noqa: B027  (optional)
        """Let go of what an epoch needs."""

    @abstractmethod
    def draw(
        self, inputs: Tensor, data_samples: Sequence, teacher: FrozenTeacher, needs_targets: bool
    ) -> MixedBatch:
        """Give the mixed batch of a step.

        Args:
            inputs: The clean batch as the student takes it; never written to.
            data_samples: Its labels.
            teacher: Of the distillation.
            needs_targets: Whether mixed labels are asked for.
        """


class OnlineMixes(Mixes):
    """Mixes of the clean batch.

    Args:
        augment: A batch augment's config, or a list of them to choose from in each step.

    Raises:
        TypeError: If it is neither.
    """

    def __init__(self, augment: Mapping | Sequence[Mapping]):
        configs = [augment] if isinstance(augment, Mapping) else augment
        if not isinstance(configs, Sequence) or not configs or not all(map(_is_config, configs)):
            raise TypeError(
                'mixed.augment must be a batch augment, dict(type=...), or a list of some to '
                f'choose from, got {augment!r}'
            )
        self.augments = [BATCH_AUGMENTS.build(deepcopy(config)) for config in configs]

    def load(self) -> None:
        """See :meth:`Mixes.load`.

        Raises:
            FileNotFoundError: If one is missing.
            ValueError: If one doesn't fit.
        """
        for augment in self.augments:
            if isinstance(augment, BatchAugment):
                augment.load()

    def prepare(self, runner: Any, num_classes: int | None, needs_targets: bool) -> None:
        """See :meth:`Mixes.prepare`.

        Raises:
            ValueError: If nothing says how many classes there are, or a mix has more images
                than a batch.
        """
        if num_classes is None:
            raise ValueError('mixing online needs a student whose head has num_classes')
        for augment in self.augments:
            if isinstance(augment, BatchAugment):
                check_batch_size(runner.train_loop.dataloader, augment)
                augment.check_classes(num_classes)
        self.num_classes = num_classes

    def draw(
        self, inputs: Tensor, data_samples: Sequence, teacher: FrozenTeacher, needs_targets: bool
    ) -> MixedBatch:
        """See :meth:`Mixes.draw`."""
        scores = read_scores(data_samples, self.num_classes)
        augment = self.augments[np.random.choice(len(self.augments))]  # noqa: NPY002  (as MMPretrain)
        with torch.no_grad():
            if not isinstance(augment, BatchAugment):
                # MMPretrain's write into the batch they are given
                return MixedBatch(*augment(inputs.clone(), scores))
            if getattr(augment, 'teacher', None) is not teacher:
                return MixedBatch(*augment(inputs, scores))
            # what it has asked the teacher is among the details
            mixed, targets, details = augment(inputs, scores, return_details=True)
        return MixedBatch(mixed, targets, details.get('clean_logits'), details.get('logits'))


class OfflineMixes(Mixes):
    """Batches of a second data loader, whose stream doesn't end and resumes where it stopped.

    Args:
        dataloader: Config of the loader. ``batch_size`` and ``num_workers`` are by default those
            of the training loader; the sampler is an ``EndlessSampler``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If another sampler, or one whose stream ends, is asked for.
    """

    def __init__(self, dataloader: Mapping):
        check_instance('mixed.dataloader', dataloader, Mapping, 'the config of a data loader')
        self.config = deepcopy(dict(dataloader))
        sampler = self.config.setdefault('sampler', dict(type=EndlessSampler, shuffle=True))
        if not _is_endless(sampler.get('type')) or sampler.get('epoch_size') is not None:
            raise ValueError(
                'the sampler of mixed images must be an EndlessSampler without epoch_size, got '
                f'{sampler!r}; leave it out'
            )
        self._batches: Iterator | None = None

    def prepare(self, runner: Any, num_classes: int | None, needs_targets: bool) -> None:
        """See :meth:`Mixes.prepare`.

        Raises:
            ValueError: If images or classes don't fit those of training.
        """
        clean = runner.train_loop.dataloader
        workers = self.config.get('num_workers', clean.num_workers)
        defaults = dict(
            batch_size=getattr(clean.batch_sampler, 'batch_size', None) or clean.batch_size,
            num_workers=workers,
            collate_fn=dict(type='default_collate'),
            pin_memory=clean.pin_memory,
        )
        if workers:
            defaults['worker_init_fn'] = dict(type='seed_worker')
        seed = shared_seed(runner)
        self.loader = runner.build_dataloader({**defaults, **self.config}, seed=seed)
        self.num_classes = num_classes
        _check_images(clean.dataset, self.loader.dataset)
        orders = loaded_order(runner.cfg), dataset_order(self.config.get('dataset'))
        _check_orders(*orders, self.loader.dataset)
        if needs_targets:
            _check_targets(self.loader.dataset, num_classes)
            fields = 'train_dataloader', 'mixed.dataloader'
            compare_datasets(clean.dataset, self.loader.dataset, fields)
        model = runner.model
        self._preprocess = getattr(model, 'module', model).data_preprocessor

    def begin_epoch(self, runner: Any) -> None:
        """See :meth:`Mixes.begin_epoch`."""
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            # the only epoch: what its workers draw must not depend on where a resumed run begins
            seed = shared_seed(runner)
            self._batches = seeded_batches(self.loader, runner.iter, seed, MIXED)
            return
        size = self.loader.batch_sampler.batch_size
        self.loader.sampler.start = runner.iter * size * get_world_size()
        self._batches = iter(self.loader)

    def end_epoch(self) -> None:
        """Stop the workers."""
        self._batches = None

    def draw(
        self, inputs: Tensor, data_samples: Sequence, teacher: FrozenTeacher, needs_targets: bool
    ) -> MixedBatch:
        """See :meth:`Mixes.draw`."""
        data = next(self._batches)
        if not needs_targets:
            # labels of another data set could mean anything
            data = dict(inputs=data['inputs'])
        data = self._preprocess(data, training=False)
        if not needs_targets:
            return MixedBatch(data['inputs'])
        return MixedBatch(data['inputs'], read_scores(data['data_samples'], self.num_classes))


def build_mixes(mixed: Mapping | None) -> Mixes | None:
    """Make the source that ``dict(augment=...)`` or ``dict(dataloader=...)`` describes.

    Raises:
        TypeError: If ``augment`` is neither a config nor a list of some.
        ValueError: If it is neither, or the sampler of ``dataloader`` is another than ours.
    """
    if mixed is None:
        return None
    if isinstance(mixed, Mapping):
        check_keys('mixed', dict(mixed), ('augment', 'dataloader'))
    if isinstance(mixed, Mapping) and set(mixed) == {'augment'}:
        return OnlineMixes(mixed['augment'])
    if isinstance(mixed, Mapping) and set(mixed) == {'dataloader'}:
        return OfflineMixes(mixed['dataloader'])
    raise ValueError(
        'mixed must be None, dict(augment=...), a batch augment to apply to each batch, or '
        f'dict(dataloader=...), a loader of mixed images; got {mixed!r}'
    )


def _is_endless(kind: Any) -> bool:
    """Whether a sampler's type, a name or a class, is ours."""
    kind = DATA_SAMPLERS.get(kind) if isinstance(kind, str) else kind
    return kind is EndlessSampler


def _is_config(augment: Any) -> bool:
    return isinstance(augment, Mapping) and 'type' in augment


def _check_targets(mixed: Any, num_classes: int | None) -> None:
    """See that mixed images are labelled by the student's classes."""
    if num_classes is None:
        raise ValueError("mixed_cls='target' needs a student whose head has num_classes")
    sample = mixed[0]['data_samples']
    if not {'gt_score', 'gt_label'} & set(sample.keys()):
        raise ValueError(
            f'the mixed images of {type(mixed).__name__} have no labels (neither gt_label nor '
            'gt_score); add them to PackInputs, or classify mixed images by the teacher: '
            "mixed_cls='teacher'"
        )
    score = sample.get('gt_score')
    if score is not None and len(score) != num_classes:
        raise ValueError(
            f'the mixed images of {type(mixed).__name__} have scores for {len(score)} classes and '
            f"the student has {num_classes}; give images of these, or set mixed_cls='teacher'"
        )
    for dataset in iter_labelled(mixed):
        check_labels(dataset, num_classes, 'mixed.dataloader')


def _check_orders(clean: ChannelOrder, mixed: ChannelOrder, dataset: Any) -> None:
    """See that both give colours in the same order: one data preprocessor serves both."""
    if clean.differs(mixed) and dataset[0]['inputs'].shape[0] == 3:
        raise ValueError(
            f'the mixed images of {type(dataset).__name__} come in another order of colour '
            f'channels than the training images ({mixed.name or "swapped"} instead of '
            f'{clean.name or "not"}); load both in the same way'
        )


def _check_images(clean: Any, mixed: Any) -> None:
    """See that both data sets give images of the same shape."""
    shapes = [tuple(dataset[0]['inputs'].shape) for dataset in (clean, mixed)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f'the mixed images of {type(mixed).__name__} have shape {shapes[1]} after their '
            f'pipeline, and the training images {shapes[0]}; give the mixed dataloader a pipeline '
            'that ends with the same size and channels'
        )
