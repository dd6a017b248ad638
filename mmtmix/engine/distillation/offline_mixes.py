"""Mixed images from a second data loader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from mmengine.dist import get_world_size
from mmengine.runner import IterBasedTrainLoop
from mmpretrain.registry import DATA_SAMPLERS
from torch import Tensor

from mmtmix.checks import check_instance
from mmtmix.datasets import EndlessSampler
from mmtmix.datasets.class_names import compare_datasets
from mmtmix.engine.labels import check_labels, iter_labelled
from mmtmix.engine.runner_privates import shared_seed
from mmtmix.engine.seeded_batches import MIXED, seeded_batches
from mmtmix.models.classifiers.labels import read_scores
from mmtmix.models.teachers import ChannelOrder, FrozenTeacher, dataset_order, loaded_order
from mmtmix.utils import unwrap

from .mixes import MixedBatch, Mixes


class OfflineMixes(Mixes):
    """Batches of a second data loader, an endless stream that resumes where it stopped.

    Args:
        dataloader: Config of the loader. ``batch_size`` and ``num_workers`` are by default those
            of the training loader; the sampler is an ``EndlessSampler``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the sampler is another one, or its stream ends.
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
        self.num_classes: int | None = None

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
        self._preprocess = unwrap(runner.model).data_preprocessor

    def begin_epoch(self, runner: Any) -> None:
        """See :meth:`Mixes.begin_epoch`."""
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            # in its only epoch the workers must draw the same, wherever a resumed run starts
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
        if self._batches is None:
            raise RuntimeError('a batch was drawn outside of an epoch')
        data = next(self._batches)
        if not needs_targets:
            # another data set may have other classes
            data = dict(inputs=data['inputs'])
        data = self._preprocess(data, training=False)
        if not needs_targets or self.num_classes is None:
            return MixedBatch(data['inputs'])
        return MixedBatch(data['inputs'], read_scores(data['data_samples'], self.num_classes))


def _is_endless(kind: Any) -> bool:
    """Return whether the type of a sampler, a name or a class, is ``EndlessSampler``."""
    kind = DATA_SAMPLERS.get(kind) if isinstance(kind, str) else kind
    return kind is EndlessSampler


def _check_targets(mixed: Any, num_classes: int | None) -> None:
    """Check that mixed images are labelled by the student's classes."""
    if num_classes is None:
        raise ValueError("mixed_cls='mixed' needs a student whose head has num_classes")
    sample = mixed[0]['data_samples']
    if not {'gt_score', 'gt_label'} & set(sample.keys()):
        raise ValueError(
            f'the mixed images of {type(mixed).__name__} have no labels (neither gt_label nor '
            'gt_score); add them to PackInputs, or classify mixed images by the teacher: '
            "mixed_cls='hard_teacher'"
        )
    score = sample.get('gt_score')
    if score is not None and len(score) != num_classes:
        raise ValueError(
            f'the mixed images of {type(mixed).__name__} have scores for {len(score)} classes and '
            f"the student has {num_classes}; give images of these, or set mixed_cls='hard_teacher'"
        )
    for dataset in iter_labelled(mixed):
        check_labels(dataset, num_classes, 'mixed.dataloader')


def _check_orders(clean: ChannelOrder, mixed: ChannelOrder, dataset: Any) -> None:
    """Check that both have the same order of colours, since one data preprocessor serves both."""
    if clean.differs(mixed) and dataset[0]['inputs'].shape[0] == 3:
        raise ValueError(
            f'the mixed images of {type(dataset).__name__} come in another order of colour '
            f'channels than the training images ({mixed.name or "swapped"} instead of '
            f'{clean.name or "not"}); load both in the same way'
        )


def _check_images(clean: Any, mixed: Any) -> None:
    """Check that both data sets have images of the same shape."""
    shapes = [tuple(dataset[0]['inputs'].shape) for dataset in (clean, mixed)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f'the mixed images of {type(mixed).__name__} have shape {shapes[1]} after their '
            f'pipeline, and the training images {shapes[0]}; give the mixed dataloader a pipeline '
            'that ends with the same size and channels'
        )
