"""Mixing of a batch of clean images, and the teacher's labels for the mixes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mmtmix.functional import top_classes_match
from mmtmix.models import BatchAugment, FrozenTeacher
from mmtmix.models.data_preprocessors.task_preprocessor import TaskPreprocessor
from mmtmix.models.label_check import as_scores
from mmtmix.models.late_verdict import settle_verdicts
from mmtmix.models.teachers import InputStats, Renormalize, swaps

from .sampling import ShardDraw

_FLAT = 1e-5  # difference of a mask from 1 / k that is rounding


class LabelledAugment:
    """Mix the images of a draw, and label the mixes by a teacher.

    Args:
        augment: Augment that mixes, with ``follows_index``.
        teacher: Teacher that labels the mixes.
        preprocessor: Settings of the task's data preprocessor.
        num_classes: Number of classes of the task.
        device: Device that mixes.
    """

    def __init__(
        self,
        augment: BatchAugment,
        teacher: FrozenTeacher,
        preprocessor: dict,
        num_classes: int,
        device: str | torch.device,
    ):
        self.augment, self.teacher, self.num_classes = augment, teacher, num_classes
        self.preprocess = TaskPreprocessor(preprocessor, num_classes, device)
        stats, pixels = InputStats.from_preprocessor(preprocessor), InputStats()
        # pixels keep the order of the data set
        swap = swaps(preprocessor)
        self._to_pixels = Renormalize(stats, pixels, swap)
        self._from_pixels = Renormalize(pixels, stats, swap)

    @torch.no_grad()
    def __call__(self, items: Sequence[dict], sampled: ShardDraw) -> dict[str, np.ndarray]:
        """Make n mixes.

        Args:
            items: Images of the draw, n * k items of the data set.
            sampled: Draw of the n mixes.

        Returns:
            ``images``, uint8 (n, H, W) or (n, H, W, 3) in the data set's channel order, and the
            fields of :class:`~mmtmix.datasets.mixed_shards.MixedRecords`. The teacher's labels
            are those of the rounded images. ``wanted``, bool (n,), is False where a solver for
            masks has not finished. ``averages``, bool (n,), is True where the solver finished
            with the plain average of the images.

        Raises:
            ValueError: If the images differ in size, or
                :func:`~mmtmix.models.label_check.as_scores` refuses their labels. If the teacher
                has other classes than the data set, or logits, saliency or masks are not finite.
        """
        inputs, scores = self.preprocess(items)
        scores = as_scores(scores)
        flips = sampled.flips.flatten().to(inputs.device)
        inputs = torch.where(flips[:, None, None, None], inputs.flip(3), inputs)
        check_labeller(self.teacher, self.num_classes, self.teacher.count_classes(inputs))
        draw = sampled.draw.to(inputs.device)
        mixed, details = self.augment.mix_and_label(inputs, scores, draw)
        # rounding changes a few winners, so the teacher labels what will be stored
        pixels = self._to_pixels(mixed.float()).round().clamp(0, 255)
        logits = self.teacher(self._from_pixels(pixels)).float()
        classes = details.get('classes', scores.argmax(dim=1)[draw.index])
        finished = top_classes_match(logits, classes)
        # the labels are copied to the CPU below, so this adds no wait
        if not logits.isfinite().all():
            raise ValueError(
                "the teacher's logits for the mixes hold NaN or infinity, which label nothing; "
                "set dtype='float32' in the teacher, or give another checkpoint"
            )
        solves = 'finished' in details
        averages = torch.zeros_like(finished)
        if solves:
            averages = finished & _is_average(details['masks'])
        steps = details.get('iterations', torch.zeros_like(classes[:, 0]))
        fields = dict(
            images=_as_images(pixels.to(torch.uint8)),
            sources=sampled.sources,
            flips=sampled.flips,
            weights=details.get('weights', draw.weights).float(),
            classes=classes,
            targets=logits.softmax(dim=1),
            winners=logits.argmax(dim=1),
            iterations=steps,
            finished=finished,
            wanted=finished if solves else torch.ones_like(finished),
            averages=averages,
        )
        arrays = {name: value.cpu().numpy() for name, value in fields.items()}
        settle_verdicts()  # no shard gets images that a delayed check refuses
        return arrays


def _is_average(masks: Tensor) -> Tensor:
    """Return which mixes are the plain average of their images, bool (n,).

    Args:
        masks: Masks, (n, k, 1, H, W).
    """
    return (masks - 1 / masks.size(1)).abs().amax(dim=(1, 2, 3, 4)) < _FLAT


def _as_images(pixels: Tensor) -> Tensor:
    """Return (n, 1, H, W) as (n, H, W), and (n, 3, H, W) as (n, H, W, 3)."""
    return pixels[:, 0] if pixels.size(1) == 1 else pixels.permute(0, 2, 3, 1)


def check_labeller(
    teacher: FrozenTeacher | None, num_classes: int, teacher_classes: int | None = None
) -> None:
    """Refuse a teacher that cannot label the data set.

    Args:
        teacher: Teacher that is to label, or None.
        num_classes: Number of classes of the data set.
        teacher_classes: Number of classes of the teacher; by default that of its config, if it
            has one.

    Raises:
        ValueError: If there is no teacher, or it has another number of classes.
    """
    if teacher is None:
        raise ValueError(
            'the augment has no teacher and nothing else labels the mixes; set generation=dict('
            'teacher=dict(config=..., checkpoint=...)) in the config'
        )
    if teacher_classes is None:
        teacher_classes = teacher.num_classes
    if teacher_classes is not None and teacher_classes != num_classes:
        raise ValueError(
            f'the teacher has {teacher_classes} classes and the data set has {num_classes}; '
            'give a teacher of this data set'
        )


def check_augment(augment: BatchAugment) -> None:
    """Refuse an augment that does not mix exactly the images that a set draws for it.

    Args:
        augment: Augment of the config.

    Raises:
        ValueError: If the augment chooses images or augments by itself.
    """
    if not augment.follows_index:
        raise ValueError(
            f'{type(augment).__name__} itself chooses the images of each mix, but a generated set '
            'draws them; generate by an augment such as SuperMix or SampleCutMix, one set for each'
        )
