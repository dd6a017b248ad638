"""The base class of every batch augment: draw, mix the images, and mix the labels."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from mmtmix.checks import check_flag, check_integer, check_number
from mmtmix.functional import draw_index, draw_weights, mix_targets
from mmtmix.models.draw import Details, Draw, rank_generator
from mmtmix.models.label_check import as_scores, check_num_classes
from mmtmix.models.label_rules import GT, LabelRule, MixToLabel, build_labels
from mmtmix.models.mix_watch import MadeMix, is_watched, report_mix
from mmtmix.models.saliency import SaliencySource
from mmtmix.models.teachers import FrozenTeacher, TeacherMixin

from .batch_check import check_batch, check_of_inputs, check_of_saliency
from .reach import warn_unmixed, watch_builder


class BatchAugment(metaclass=ABCMeta):
    """Mix the images and the labels of a batch.

    A subclass defines :meth:`mix`; a :class:`MaskAugment` defines ``masks`` alone. A call draws by
    :meth:`make_draw`, mixes and labels by :meth:`mix_and_label`, and mixes labels by
    :meth:`mix_targets`. The details of a call hold its draw:
    ``mix_and_label(images, scores, Draw.from_details(details))`` returns the same tensors again.

    An augment is a plain callable, as MMPretrain's are, and no part of a model's state. It keeps
    no state that changes a mix, so deep copies (``EMAHook`` makes one) share it.

    Args:
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.
        labels: Label rule of :mod:`mmtmix.models.label_rules`: its name, ``dict(type=..., ...)``
            or the rule. ``'gt'`` keeps the augment's own weights on the ground truth.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range, or the rule needs what the augment lacks.
    """

    teacher: FrozenTeacher | None = None
    """Teacher of the augment itself; that of a saliency source belongs to the source."""
    saliency: SaliencySource | None = None
    """Source of the saliency that the augment mixes by."""
    follows_index: bool = True
    """Whether a mix consists of the images in its row of ``index``, all of them and no others."""
    needs_distinct_classes: bool = False
    """Whether the images of a mix should differ in the class of their label."""
    gives_saliency: bool = False
    """Whether :meth:`mix` returns the ``saliency`` that it mixed by, with ``full_details``."""
    own_labels: tuple[str, ...] = (GT,)
    """Values of ``labels`` for which the augment makes the labels itself."""
    label_rule: LabelRule | None = None
    """Rule of the labels; None for the augment's own."""

    def __init__(
        self,
        num_mix: int = 2,
        alpha: float = 1.0,
        num_classes: int | None = None,
        per_sample: bool = True,
        labels: str | Mapping | LabelRule = GT,
    ):
        check_integer('num_mix', num_mix, 2)
        check_number('alpha', alpha, above=0, cure='with 1 all shares are equally likely')
        check_num_classes(num_classes)
        check_flag('per_sample', per_sample)
        self.num_mix = num_mix
        self.alpha = alpha
        self.num_classes = num_classes
        self.per_sample = per_sample
        self.labels = labels
        self.label_rule = build_labels(labels, self.own_labels)
        if self.label_rule is not None:
            self.label_rule.check_augment(self)
        self._check_finite = check_of_inputs()
        self._check_saliency = check_of_saliency(type(self).__name__)
        self._has_mixed = False
        watch_builder()

    def __deepcopy__(self, memo: dict) -> BatchAugment:
        return self

    @property
    def parts(self) -> tuple[BatchAugment, ...]:
        """The augments that mix: this one, or those that it chooses from."""
        return (self,)

    @property
    def checks_while_mixing(self) -> bool:
        """Whether :meth:`mix` itself refuses NaN and infinity, for a draw in order."""
        return False

    @property
    def needs_network(self) -> bool:
        """Whether mixing runs a network, which has no place in a data loader's worker."""
        if isinstance(self, TeacherMixin) or any(s.needs_network for s in self.sources):
            return True
        return self.label_rule is not None and self.label_rule.needs_network

    @property
    def needs_batch(self) -> bool:
        """Whether mixing a part of a batch still needs all of its images."""
        return any(source.needs_batch for source in self.sources)

    @property
    def adds_loss(self) -> bool:
        """Whether mixing adds a loss to those of the step."""
        return any(source.adds_loss for source in self.sources)

    @property
    def sources(self) -> tuple[SaliencySource, ...]:
        """All sources of saliency: of the masks, of the labels, and those inside of others."""
        of_labels = getattr(self.label_rule, 'saliency', None)
        own = [source for source in (self.saliency, of_labels) if source is not None]
        return tuple(part for source in own for part in source.parts)

    @property
    def teacher_holders(self) -> tuple[TeacherMixin, ...]:
        """All parts with a teacher: the augment itself, sources of saliency, the label rule."""
        parts: list[object] = [self, *self.sources, self.label_rule]
        return tuple(part for part in parts if isinstance(part, TeacherMixin) and part.has_teacher)

    @property
    def saliency_title(self) -> str:
        """Name of the maps in the details' ``saliency``, for pictures."""
        if self.saliency is not None:
            return self.saliency.title
        return 'Saliency' if self.teacher is None else self.teacher.saliency_title

    def load(self) -> None:
        """Read the files that mixing needs, before the first call would read them.

        Raises:
            FileNotFoundError: If one is missing.
            ValueError: If one doesn't fit.
        """
        if self.saliency is not None:
            self.saliency.load()
        if self.label_rule is not None:
            self.label_rule.load()

    def check_classes(self, num_classes: int) -> None:  # noqa: B027  (optional)
        """Refuse a task of too few classes for this augment.

        Args:
            num_classes: Number of classes of the task, >= 1.

        Raises:
            ValueError: If there are too few.
        """

    @torch.compiler.disable
    def __call__(
        self,
        batch_inputs: Tensor,
        batch_scores: Tensor,
        return_details: bool = False,
        repeat: int = 1,
    ) -> tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Details]:
        """Mix a batch.

        Randomness comes from torch's CPU generator and the rank: seeded runs repeat, and ranks
        differ even where they share a seed.

        Args:
            batch_inputs: Images, normalised, (N, C, H, W).
            batch_scores: Soft or one-hot labels, (N, num_classes); with ``num_classes`` also
                integer labels (N,).
            return_details: Whether to return how the mixes were made as well.
            repeat: Number of mixes per image, R >= 1. N becomes R * N in all that is returned,
                one mix of the whole batch after the other. A teacher runs once for all of them.

        Returns:
            Mixed inputs (N, C, H, W) in the dtype of ``batch_inputs`` and mixed scores
            (N, num_classes) in float, both new. A batch smaller than k comes back unmixed. With
            ``return_details`` a dict as well: ``weights`` (N, k), ``index`` (N, k), own image
            first, ``warped`` (N, k, C, H, W) and ``masks`` (N, k, 1, H, W), with
            ``mixed = sum_k masks * warped``; what :meth:`Draw.from_details` reads; and what the
            augment adds.

        Raises:
            RuntimeError: If an augment that needs a network is called in a loader's worker.
            TypeError: If the inputs have the wrong type.
            ValueError: If shapes don't fit, the inputs or labels hold NaN or infinity, or a label
                is negative or out of range.
        """
        check_batch(batch_inputs, batch_scores)
        self._check_process()
        scores = as_scores(batch_scores, self.num_classes)
        check_integer('repeat', repeat, 1)
        check_flag('return_details', return_details)
        if len(batch_inputs) < self.num_mix:
            self._check_finite(batch_inputs)
            return self._unmixed(batch_inputs, scores, return_details, repeat)
        if not self.checks_while_mixing:
            self._check_finite(batch_inputs)
        self._has_mixed = True
        draw = self.make_draw(scores, repeat)
        if self.checks_while_mixing and not draw.in_order:
            self._check_finite(batch_inputs)
        if return_details:
            mixed, details = self.mix_with_details(batch_inputs, scores, draw)
        else:
            watched = replace(draw, full_details=True) if is_watched() else draw
            mixed, details = self.mix_and_label(batch_inputs, scores, watched)
            details = {'weights': draw.weights, 'index': draw.index, **details}
        targets = self.mix_targets(scores, details)
        if is_watched():
            self._report(mixed, targets, batch_inputs, scores, details)
        return (mixed, targets, details) if return_details else (mixed, targets)

    def make_draw(
        self, scores: Tensor, repeat: int = 1, generator: torch.Generator | None = None
    ) -> Draw:
        """Draw weights and partners for each image of a batch.

        Args:
            scores: Labels of the batch, (N, num_classes), N >= k, on the device of the images.
            repeat: Number of mixes per image, R >= 1.
            generator: Source of randomness, on the CPU; by default one of the rank's own.

        Returns:
            The draw, with R * N mixes.
        """
        generator = generator or rank_generator()
        rows = repeat * len(scores) if self.per_sample else repeat
        weights = draw_weights(rows, self.num_mix, self.alpha, generator)
        if not self.per_sample:
            weights = weights.repeat_interleave(len(scores), dim=0)
        weights = weights.to(scores.device, non_blocking=True)
        parts = [self.draw_index(scores, generator) for _ in range(repeat)]
        index = parts[0] if repeat == 1 else torch.cat(parts)
        # a subclass may draw its mixes in another order
        in_order = repeat == 1 and type(self).draw_index is BatchAugment.draw_index
        return Draw(weights, index, generator, in_order=in_order)

    def draw_index(self, scores: Tensor, generator: torch.Generator) -> Tensor:
        """Draw the images of each mix, (N, k), own first, on the device of the labels."""
        index = draw_index(len(scores), self.num_mix, generator)
        return index.to(scores.device, non_blocking=True)

    @abstractmethod
    def mix(self, images: Tensor, scores: Tensor, draw: Draw) -> tuple[Tensor, Details]:
        """Mix images with the weights and partners of a draw.

        Args:
            images: Images of the batch, (N, C, H, W); never written to.
            scores: Labels of the batch, (N, num_classes), floating point.
            draw: Draw of M mixes. M differs from N where only some images are mixed.

        Returns:
            Mixed inputs (M, C, H, W), and details: ``weights`` and ``index`` where they differ
            from the drawn ones; ``warped`` of an augment that moves images; and what else the
            augment found. ``masks`` (M, k, 1, H, W) may be left out unless
            ``draw.full_details``.
        """

    def mix_and_label(self, images: Tensor, scores: Tensor, draw: Draw) -> tuple[Tensor, Details]:
        """Mix as :meth:`mix` does, and find by the label rule what the labels follow.

        Args:
            images: Images of the batch, (N, C, H, W); never written to.
            scores: Labels of the batch, (N, num_classes), floating point.
            draw: Draw of M mixes.

        Returns:
            Mixed inputs (M, C, H, W), and the details of :meth:`mix`. By a label rule their
            ``weights`` (M, k) are the shares of the labels, or they have ``targets``
            (M, num_classes) as well.
        """
        rule = self.label_rule
        if rule is None:
            return self.mix(images, scores, draw)
        full = replace(draw, full_details=draw.full_details or rule.needs_masks)
        mixed, details = self.mix(images, scores, full)
        details = {'weights': draw.weights, 'index': draw.index, **details}
        found = rule(MixToLabel(self, images, scores, mixed, details, draw.generator))
        return mixed, {**details, **found}

    def mix_with_details(
        self, images: Tensor, scores: Tensor, draw: Draw
    ) -> tuple[Tensor, Details]:
        """Mix as :meth:`mix_and_label` does, and return all details that a call returns."""
        replay = draw.to_details()
        mixed, details = self.mix_and_label(images, scores, replace(draw, full_details=True))
        details = {'weights': draw.weights, 'index': draw.index, **replay, **details}
        if 'warped' not in details:
            details['warped'] = self.warp_sources(images, details)
        return mixed, details

    def warp_sources(self, images: Tensor, details: Details) -> Tensor:
        """Return the images of each mix where they lie in it, (M, k, C, H, W).

        Args:
            images: Images of the batch, (N, C, H, W).
            details: Details of M mixes, or those of some of them: a picture of a run takes the
                same rows of each tensor that has one row per mix.
        """
        return images[details['index']]

    def mix_targets(self, scores: Tensor, details: Details) -> Tensor:
        """Return the labels of the mixes, (M, num_classes).

        Args:
            scores: Labels of the batch, (N, num_classes).
            details: Details of the mixes, with ``weights`` and ``index`` at least. ``targets``
                of a label rule are returned as they are.
        """
        if 'targets' in details:
            return details['targets']
        return mix_targets(scores, details['weights'], details['index'])

    def unmixed_details(self, images: Tensor, scores: Tensor) -> Details:
        """Return the details of a batch too small to mix: each image with all of its weight."""
        num_samples, (height, width) = len(images), images.shape[-2:]
        own = torch.zeros(num_samples, self.num_mix, device=images.device)
        own[:, 0] = 1
        index = torch.arange(num_samples, device=images.device)
        details = dict(
            weights=own,
            index=index[:, None].expand(-1, self.num_mix),
            warped=images[:, None].expand(-1, self.num_mix, -1, -1, -1),
            masks=own[..., None, None, None].expand(-1, -1, 1, height, width),
        )
        if self.label_rule is not None and self.label_rule.gives_targets:
            details['targets'] = scores
        return details

    def _unmixed(
        self, images: Tensor, scores: Tensor, return_details: bool, repeat: int
    ) -> tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Details]:
        if not self._has_mixed:
            warn_unmixed(len(images), self.num_mix)
        mixed, repeated = images.repeat(repeat, 1, 1, 1), scores.repeat(repeat, 1)
        targets = repeated.clone()
        if not return_details:
            return mixed, targets
        details = self.unmixed_details(mixed, repeated)
        # `unmixed_details` numbers the repeated images; `index` has numbers of images of the batch
        details['index'] = details['index'] % max(len(images), 1)
        return mixed, targets, details

    def _report(
        self, mixed: Tensor, targets: Tensor, images: Tensor, scores: Tensor, details: Details
    ) -> None:
        """Report mixes to the registered watchers."""
        known = MadeMix(type(self).__name__, mixed, targets, images, scores, details)
        makers = tuple(type(part).__name__ for part in self.parts)
        title = self.saliency_title
        report_mix(replace(known, warp=self.warp_sources, saliency_title=title, makers=makers))

    def _check_process(self) -> None:
        if self.needs_network and get_worker_info() is not None:
            raise RuntimeError(
                f'{type(self).__name__} needs a network, which has no place in the worker of a '
                'data loader; mix in the main process, after the batch has left the loader, or '
                'in a config by model.train_cfg.augments'
            )
