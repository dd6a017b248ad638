"""The model that a search trains: a mixing module in front of a frozen teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from mmengine.model import BaseModel
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

from mmtmix.checks import check_choice, check_instance, check_number
from mmtmix.functional import (
    blend,
    box_masks,
    corner_shift,
    mix_targets,
    soft_cross_entropy,
    top_classes_match,
)
from mmtmix.models.classifiers.labels import read_scores
from mmtmix.models.draw import Details, Draw, draw_mixes, rank_generator
from mmtmix.models.label_check import check_one_class
from mmtmix.models.measures import count_hits
from mmtmix.models.mix_watch import MadeMix, is_watched, report_mix
from mmtmix.models.mixers import TransformMixer
from mmtmix.models.teacher_mix import mix_with_teacher, visible_weights
from mmtmix.models.teachers import FrozenTeacher, InputStats, build_teacher, check_teacher

from .objective import HardFor, check_hard_for, diversity_term, measure_shares

LABELS = ('gt', 'visible')
_QUALITY_SEED = 0


@MODELS.register_module()
class MixerSearch(BaseModel):
    """Learn to mix so that a frozen teacher recognises both images (TransformMix, section 3.2).

    The loss is CE(teacher(x'), y'); further terms are options. Only the mixing module is a part of
    this model: no teacher is in a checkpoint, optimizer, EMA copy or DDP bucket. The config's
    ``compile`` has no effect on a search; ``teacher=dict(compile=True, ...)`` compiles the
    teacher, which takes most of the time.

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, or a teacher.
        mixer: Config of the module, ``dict(type='TransformMixer', ...)``.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        data_preprocessor: Config of the data preprocessor, as for a classifier. The teacher reads
            the normalisation from it.
        labels: Shares of the classes in y': ``'gt'`` takes the drawn weights, ``'visible'`` (ours)
            each image's part of the saliency that warp and masks leave. The module then learns
            the labels as well. A validation always takes the drawn weights.
        hard_for: Second network that should not recognise the mixes, such as the teacher after
            its first epochs: ``dict(teacher=..., beta=1.0, form='clipped')``, with the arguments
            of a teacher; None for no such term. See :func:`~mmtmix.functional.hardness`.
        diversity: Weight, >= 0, of a term against masks that are the same for different noise z of
            the spatial transformer; see :func:`~mmtmix.functional.mode_seeking`.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range, the data preprocessor has batch augments,
            or ``diversity`` is set for a module without a spatial transformer.
    """

    def __init__(
        self,
        teacher: dict | FrozenTeacher,
        mixer: dict,
        alpha: float = 1.0,
        data_preprocessor: dict | None = None,
        labels: str = 'gt',
        hard_for: Mapping | None = None,
        diversity: float = 0.0,
    ):
        check_choice('labels', labels, LABELS)
        check_hard_for(hard_for)
        check_number('diversity', diversity, 0, cure='it is a weight; 0 leaves the term out')
        check_number('alpha', alpha, above=0, cure='it is that of Dir(alpha)')
        check_instance('mixer', mixer, dict, "dict(type='TransformMixer', ...)")
        check_teacher(teacher)
        preprocessor = dict(data_preprocessor or {})
        preprocessor.setdefault('type', 'mmpretrain.ClsDataPreprocessor')
        super().__init__(data_preprocessor=preprocessor)
        if getattr(self.data_preprocessor, 'batch_augments', None) is not None:
            raise ValueError(
                'a search mixes images itself, and data_preprocessor has batch_augments, which '
                'would mix them first; leave them out'
            )
        self.alpha = alpha
        self.mixer: TransformMixer = MODELS.build(mixer)
        if diversity > 0 and self.mixer.stn is None:
            raise ValueError(
                f"diversity must be 0 for a mixer with transform='none', got {diversity}: only "
                "the spatial transformer reads the noise z; set transform='stn'"
            )
        self.labels, self.diversity = labels, diversity
        self.teacher = _build_teacher(teacher, data_preprocessor)
        self.hard_for: HardFor | None = None
        if hard_for is not None:
            early = _build_teacher(hard_for['teacher'], data_preprocessor)
            self.hard_for = HardFor(**{**hard_for, 'teacher': early})

    @torch.compiler.disable  # a compiled step can't hold a teacher that is compiled itself
    def forward(
        self,
        inputs: Tensor,
        data_samples: list[DataSample] | None = None,
        mode: str = 'tensor',
    ) -> dict[str, Tensor] | list[DataSample] | Tensor:
        """Mix a batch, and return the loss, the quality of the mixes or the mixes.

        Args:
            inputs: Images, (N, C, H, W).
            data_samples: Samples with ``gt_label``, or soft labels as ``gt_score``.
            mode: Kind of result: ``'loss'``, ``'predict'`` or ``'tensor'``.

        Returns:
            ``dict(loss=...)``, or the samples, each with ``mix_quality``, or the mixes, by mode.
            With further terms the first has ``loss_teacher`` and theirs, ``loss_hard`` and
            ``loss_diversity``, which MMEngine adds up.

        Raises:
            ValueError: If the mode is none of these, an image has no labels or several, or a batch
                is smaller than k.
        """
        check_choice('mode', mode, ('loss', 'predict', 'tensor'))
        self.teacher.count_classes(inputs)
        samples = data_samples or []
        scores = self.read_scores(samples).to(inputs.device)
        if mode == 'predict':
            return self.predict(inputs, scores, samples)
        if len(inputs) < self.mixer.num_mix:
            raise ValueError(
                f'a training batch of {len(inputs)} cannot be mixed with num_mix='
                f'{self.mixer.num_mix}; set drop_last=True in train_dataloader'
            )
        generator = rank_generator()
        draw = self._draw(inputs, generator)
        noise = None
        if self.diversity > 0:
            noise = self.mixer.draw_noise(len(draw.index), generator)
            noise = noise.to(inputs.device, non_blocking=True)
        mixed, details = mix_with_teacher(
            self.teacher, self.mixer, inputs, scores, draw, noise=noise
        )
        if mode == 'tensor':
            return mixed
        targets = mix_targets(scores, self._shares(draw, details), draw.index)
        logits = self.teacher(mixed, check=False)
        if is_watched():
            drawn = dict(weights=draw.weights, index=draw.index)
            made = MadeMix('Search', mixed, targets, inputs, scores, {**drawn, **details})
            title = self.teacher.saliency_title
            report_mix(replace(made, warp=self._warp_sources, saliency_title=title))
        count_hits('teacher_mixed_acc', logits, targets)
        # a search that diverges is ended by FiniteStopHook, which has the last good weights
        loss = soft_cross_entropy(logits, targets).mean()
        if self.hard_for is None and noise is None:
            return dict(loss=loss)
        losses = dict(loss_teacher=loss)
        if self.hard_for is not None:
            losses['loss_hard'] = self.hard_for(mixed, targets)
        if noise is not None:
            losses['loss_diversity'] = diversity_term(
                self.mixer, details, draw, noise, self.diversity
            )
        return losses

    def _shares(self, draw: Draw, details: Details) -> Tensor:
        """Return the shares of the images in the labels, (M, k)."""
        if self.labels == 'gt':
            return draw.weights
        shares = visible_weights(details, self.mixer)
        measure_shares(shares, draw.weights)
        return shares

    def read_scores(self, data_samples: Sequence[DataSample]) -> Tensor:
        """Return the labels of N samples as scores (N, num_classes).

        Args:
            data_samples: N samples with ``gt_label``, or soft labels as ``gt_score``.

        Raises:
            ValueError: If labels are missing, an image has several, or the scores have other
                classes than the teacher's.
        """
        num_classes = self.teacher.num_classes
        assert num_classes is not None  # callers count them first
        scores = read_scores(data_samples, num_classes)
        if scores.size(1) != num_classes:
            raise ValueError(
                f'the teacher has {num_classes} classes and gt_score has {scores.size(1)}; '
                'search with a teacher that was trained on this data set'
            )
        check_one_class(scores)
        return scores

    @torch.no_grad()
    def predict(
        self, inputs: Tensor, scores: Tensor, data_samples: list[DataSample]
    ) -> list[DataSample]:
        """Measure how well the teacher recognises these mixes, Mixup's and CutMix's.

        All three mix the same pairs with the same weights. Every call draws the same ones.

        Args:
            inputs: Images, (N, C, H, W).
            scores: Labels, (N, num_classes).
            data_samples: Samples of the N images.

        Returns:
            The samples, each with ``mix_quality``; that is None where the batch is smaller than k.
            For every method it has the teacher's cross entropy (nats) and whether its top classes
            are the mixed ones (0 or 1). It also has the distance by which the spatial transformer
            moves the corners of the images.
        """
        if len(inputs) < self.mixer.num_mix:
            for sample in data_samples:
                sample.set_field(None, 'mix_quality', field_type='metainfo')
            return data_samples
        generator = torch.Generator().manual_seed(_QUALITY_SEED)
        draw = self._draw(inputs, generator)
        weights, index = draw.weights, draw.index
        targets, classes = mix_targets(scores, weights, index), scores.argmax(dim=1)
        height, width = inputs.shape[-2:]
        boxes = box_masks(weights, height, width, generator)
        images = inputs[index]
        mixed, details = mix_with_teacher(self.teacher, self.mixer, inputs, scores, draw)
        mixes = dict(
            transformmix=mixed,
            mixup=blend(images, weights[..., None, None, None].to(images.dtype)),
            cutmix=blend(images, boxes.to(images.dtype)),
        )
        shift = corner_shift(details['theta']).mean(dim=1)
        columns = {'transformmix/shift': shift.tolist()}
        for method, mixed in mixes.items():
            logits = self.teacher(mixed, check=False)
            columns[f'{method}/ce'] = soft_cross_entropy(logits, targets).tolist()
            columns[f'{method}/top_k'] = top_classes_match(logits, classes[index]).tolist()
        for row, sample in enumerate(data_samples):
            quality = {name: float(values[row]) for name, values in columns.items()}
            sample.set_field(quality, 'mix_quality', field_type='metainfo')
        return data_samples

    def _warp_sources(self, images: Tensor, details: Details) -> Tensor:
        return self.mixer.warp_sources(images, details['index'], details['theta'])

    def _draw(self, inputs: Tensor, generator: torch.Generator) -> Draw:
        # the host does not wait for this copy, because the device is still busy with the last step
        return draw_mixes(len(inputs), self.mixer.num_mix, self.alpha, generator, inputs.device)


def _build_teacher(teacher: dict | FrozenTeacher, data_preprocessor: dict | None) -> FrozenTeacher:
    """Return a teacher with the normalisation of a search's images."""
    if isinstance(teacher, Mapping) and data_preprocessor is not None:
        # a run adds the order of the channels, which depends on its data set
        stats = InputStats.from_preprocessor(data_preprocessor)
        teacher = {'input_stats': stats, **teacher}
    return build_teacher(teacher)
