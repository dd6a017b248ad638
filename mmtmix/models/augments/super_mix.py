"""SuperMix as a batch augment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_arguments, check_choice
from mmtmix.functional import (
    SuperMixSettings,
    blend,
    draw_distinct_index,
    mix_targets,
    solve_masks,
)
from mmtmix.models.draw import Details, Draw
from mmtmix.models.label_check import check_one_class
from mmtmix.models.label_rules import GT, LabelRule
from mmtmix.models.measures import count_hits, is_measured
from mmtmix.models.teachers import FrozenTeacher, TeacherMixin
from mmtmix.utils import current_value

from .batch_augment import BatchAugment

SOURCE_PREDICTION = 'source_prediction'
OLD_LABELS = {'teacher': SOURCE_PREDICTION}
ON_FAILURE = ('keep', 'clean')
REPEATS = ('keep', 'resample')
STARTS = ('saliency', 'flat')


@BATCH_AUGMENTS.register_module()
class SuperMix(TeacherMixin, BatchAugment):
    """Mix images by masks that are optimised against a teacher (SuperMix, Algorithm 1).

    By default the masks start from what the teacher's activation maps show of each class, which is
    ours. The first steps take no backward pass, and the objective has no sparsity term.
    docs/costs.md compares time and masks with the paper's solver. That is
    ``start='flat', lambda_s=25.0, max_iters=50``, the arguments in
    :data:`~mmtmix.functional.SUPERMIX_PAPER`.

    Each image has one class. The teacher's files are read at the first call, so a classifier that
    was trained with this augment predicts without them.

    The details have as well: ``classes`` (N, k), the teacher's ``logits`` (N, num_classes) for the
    mixes, ``iterations`` (N,) and ``finished`` (N,); and its ``clean_logits`` for the batch where
    they had to be computed.

    Args:
        teacher: Arguments of :class:`~mmtmix.models.teachers.FrozenTeacher`, or a teacher. It
            needs the task's classes.
        num_mix: Number of images per mix, k >= 2; 2 for CIFAR, 3 for ImageNet.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        mask_size: Side of the optimised masks in pixels, >= 1; 16 for ImageNet.
        sigma: Standard deviation of the gradient's smoothing in pixels of the mask, > 0; 2 for
            ImageNet.
        lambda_s: Weight of the sparsity loss, >= 0; 25 in the paper. Masks that start from
            saliency are sparse already.
        max_iters: Largest number of steps of the solver, >= 0; 50 in the paper.
        max_unfinished_ratio: Share of a batch that may stay unfinished, in [0, 1]; 0.5 for
            ImageNet.
        labels: Class that an image stands for in the objective and in the mixed label:
            ``'source_prediction'`` takes the teacher's prediction for the image (Eq. 2), ``'gt'``
            the ground truth. Or a label rule, see :class:`BatchAugment`: the objective then has
            the classes of the ground truth.
        on_failure: Treatment of a sample that doesn't finish: ``'keep'`` its last mix, or
            ``'clean'``, its own image and class.
        min_iters: Number of steps before a sample may finish, >= 0. With 0, the paper's Algorithm
            1, about a third of the mixes of two images are plain averages; 1 is its public code.
        legacy_kernel: Whether to smooth as the public code does, see
            :func:`~mmtmix.functional.gaussian_kernel`.
        repeats: Treatment of sets that name a class twice: ``'keep'`` them, finished when the top
            classes are the different ones, or ``'resample'`` partners by the ground truth.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.
        start: Masks of the first pass: ``'saliency'`` starts from the teacher's saliency, by
            :class:`~mmtmix.functional.MaskModel`, at no further pass where labels need one;
            ``'flat'`` from the plain average, as the paper does.
        **solver: Fields of :class:`~mmtmix.functional.SuperMixSettings`, such as
            ``method='sgd'``.

    Raises:
        FileNotFoundError: At the first call, if the teacher's file does not exist.
        TypeError: If an argument is unknown.
        ValueError: If an argument is out of its range; at the first call, if the teacher's files
            don't fit.
    """

    teacher: FrozenTeacher  # TeacherMixin reads its files at the first use
    own_labels = (SOURCE_PREDICTION, GT)

    def __init__(
        self,
        teacher: dict | FrozenTeacher,
        num_mix: int = 2,
        alpha: float = 3.0,
        mask_size: int = 8,
        sigma: float = 1.0,
        lambda_s: float = 0.0,
        max_iters: int = 12,
        max_unfinished_ratio: float = 0.1,
        labels: str | Mapping | LabelRule = SOURCE_PREDICTION,
        on_failure: str = 'keep',
        min_iters: int = 0,
        legacy_kernel: bool = False,
        repeats: str = 'keep',
        num_classes: int | None = None,
        per_sample: bool = True,
        start: str = 'saliency',
        **solver: Any,
    ):
        labels = current_value('labels of SuperMix', labels, OLD_LABELS)
        super().__init__(num_mix, alpha, num_classes, per_sample, labels)
        check_choice('on_failure', on_failure, ON_FAILURE)
        check_choice('repeats', repeats, REPEATS)
        check_choice('start', start, STARTS)
        check_arguments('SuperMix', solver, SuperMix, SuperMixSettings)
        if num_classes is not None:
            self.check_classes(num_classes)
        self.on_failure, self.repeats = on_failure, repeats
        self.start = start
        self.needs_distinct_classes = repeats == 'resample'
        self.settings = SuperMixSettings(
            mask_size=mask_size,
            sigma=sigma,
            lambda_s=lambda_s,
            max_iters=max_iters,
            max_unfinished_ratio=max_unfinished_ratio,
            min_iters=min_iters,
            legacy_kernel=legacy_kernel,
            **solver,
        )
        self.hold_teacher(teacher)

    def check_classes(self, num_classes: int) -> None:
        """See :meth:`BatchAugment.check_classes`; a mix should have images of k classes."""
        if num_classes < self.num_mix:
            raise ValueError(
                f'SuperMix has num_mix={self.num_mix} images per mix, and the task has '
                f'{num_classes} classes, so no mix can show as many; set num_mix to at most the '
                'number of classes, or use an augment that needs no class, such as SampleMixup'
            )

    @torch.no_grad()
    def mix(self, images: Tensor, scores: Tensor, draw: Draw) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`."""
        sources, weights = images[draw.index], draw.weights
        classes, clean_logits, evidence = self._source_classes(images, scores)
        classes = classes[draw.index]
        evidence = None if evidence is None else evidence[draw.index]
        solution = solve_masks(sources, classes, weights, self.teacher, self.settings, evidence)
        masks, logits = solution.masks, solution.logits
        if self.on_failure == 'clean':
            assert clean_logits is not None  # always computed for 'clean'
            own = torch.zeros_like(weights)
            own[:, 0] = 1
            failed = ~solution.finished[:, None]
            weights = torch.where(failed, own, weights)
            masks = torch.where(failed[..., None, None, None], own[..., None, None, None], masks)
            logits = torch.where(failed, clean_logits[draw.index[:, 0]].float(), logits)
        if is_measured():
            count_hits('teacher_mixed_acc', logits, mix_targets(scores, weights, draw.index))
        computed = {} if clean_logits is None else dict(clean_logits=clean_logits)
        mixed = blend(sources, masks).to(images.dtype)
        return mixed, dict(
            weights=weights,
            classes=classes,
            warped=sources,
            masks=masks,
            logits=logits,
            iterations=solution.iterations,
            finished=solution.finished,
            **computed,
        )

    def draw_index(self, scores: Tensor, generator: torch.Generator) -> Tensor:
        """See :meth:`BatchAugment.draw_index`."""
        if not self.needs_distinct_classes:
            return super().draw_index(scores, generator)
        return draw_distinct_index(scores.argmax(dim=1), self.num_mix, generator)

    def mix_targets(self, scores: Tensor, details: Details) -> Tensor:
        """See :meth:`BatchAugment.mix_targets`; by default of the teacher's classes, Eq. 2."""
        if self.labels != SOURCE_PREDICTION:
            return super().mix_targets(scores, details)
        weights = details['weights'].to(scores.dtype)
        targets = scores.new_zeros(len(weights), scores.size(1))
        return targets.scatter_add_(1, details['classes'], weights)

    @torch.no_grad()
    def unmixed_details(self, images: Tensor, scores: Tensor) -> Details:
        """See :meth:`BatchAugment.unmixed_details`; no sample is finished."""
        details = super().unmixed_details(images, scores)
        classes, logits, _ = self._source_classes(images, scores, is_mixed=False)
        logits = self.teacher(images) if logits is None else logits
        iterations = torch.zeros(len(images), dtype=torch.long, device=images.device)
        return dict(
            details,
            classes=classes[details['index']],
            logits=logits.float(),
            clean_logits=logits,
            iterations=iterations,
            finished=iterations.bool(),
        )

    def _source_classes(
        self, images: Tensor, scores: Tensor, is_mixed: bool = True
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return the class that each image stands for, and what one pass computed for it.

        Args:
            images: Batch, (N, C, H, W).
            scores: One-hot scores of the batch, (N, num_classes).
            is_mixed: Whether masks will be optimised, which start from saliency.

        Returns:
            Classes (N,), and logits (N, num_classes) and evidence (N, num_classes, w, w), None
            where they were not needed.
        """
        teacher_classes = self.teacher.count_classes(images)
        if teacher_classes != scores.size(1):
            raise ValueError(
                f'the teacher has {teacher_classes} classes and batch_scores has '
                f'{scores.size(1)}; SuperMix needs a teacher of this task'
            )
        self.check_classes(teacher_classes)
        check_one_class(scores)
        labels = None if self.labels == SOURCE_PREDICTION else scores.argmax(dim=1)
        needs_logits = labels is None or self.on_failure == 'clean'
        logits = evidence = None
        if is_mixed and self.start == 'saliency':
            logits, evidence = self._explain(images, labels)
        elif needs_logits or self.teacher.report.is_open:
            logits = self.teacher(images)
        if logits is not None:
            self.teacher.report(logits, scores, is_last=not needs_logits)
        if labels is None:
            assert logits is not None  # always computed for the teacher's classes
            labels = logits.argmax(dim=1)
        return labels, logits, evidence

    def _explain(self, images: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the teacher's logits and evidence, see :meth:`FrozenTeacher.evidence`."""
        try:
            return self.teacher.evidence(images, labels, self.settings.mask_size)
        except ValueError as error:
            self.teacher(images)  # raises where the logits are at fault, and not the saliency
            raise ValueError(
                f"{error}; or set start='flat' in SuperMix, which needs no saliency"
            ) from error
