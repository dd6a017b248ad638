"""From a batch of clean images to mixed ones with the teacher's labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmtmix.functional import top_classes_match
from mmtmix.models import BatchAugment, FrozenTeacher
from mmtmix.models.data_preprocessors.task_preprocessor import TaskPreprocessor
from mmtmix.models.label_check import as_scores
from mmtmix.models.late_verdict import settle_verdicts
from mmtmix.models.teachers import InputStats, Renormalize, swaps

from .draws import Draw


class LabelledMixer:
    """Mix the images of a draw and let the teacher label the mixes.

    Args:
        mixer: Of any kind.
        teacher: Labels the mixes.
        preprocessor: The settings of the task's data preprocessor.
        num_classes: Of the task.
        device: Where it runs.
    """

    def __init__(
        self,
        mixer: BatchAugment,
        teacher: FrozenTeacher,
        preprocessor: dict,
        num_classes: int,
        device: str | torch.device,
    ):
        self.mixer, self.teacher, self.num_classes = mixer, teacher, num_classes
        self.preprocess = TaskPreprocessor(preprocessor, num_classes, device)
        stats, pixels = InputStats.from_preprocessor(preprocessor), InputStats()
        # pixels keep the order of the data set
        swap = swaps(preprocessor)
        self._to_pixels = Renormalize(stats, pixels, swap)
        self._from_pixels = Renormalize(pixels, stats, swap)

    @torch.no_grad()
    def __call__(self, items: Sequence[dict], draw: Draw) -> dict[str, np.ndarray]:
        """Make n mixes.

        Args:
            items: The n * k images of the draw, as the data set gives them.
            draw: What was drawn.

        Returns:
            ``images``, uint8 (n, H, W) or (n, H, W, 3) in the data set's channel order, and the
            fields of :class:`~mmtmix.datasets.mixed_shards.MixedRecords`: what the teacher says
            is about these rounded images. ``wanted``, bool (n,), is false where a mixer that
            solves for its masks has not finished; ``averages``, bool (n,), is true where it
            finished before its first step, with the plain average of the images.

        Raises:
            ValueError: If the images differ in size, their labels are none that a mixer takes (see
                :func:`~mmtmix.models.label_check.as_scores`), or the teacher has other classes
                than the data set, or logits, saliency or masks are not finite.
        """
        inputs, scores = self.preprocess(items)
        scores = as_scores(scores)
        flips = draw.flips.flatten().to(inputs.device)
        inputs = torch.where(flips[:, None, None, None], inputs.flip(3), inputs)
        check_teacher(self.teacher, self.num_classes, self.teacher.count_classes(inputs))
        index = torch.arange(len(inputs), device=inputs.device).view(draw.sources.shape)
        weights = draw.weights.to(inputs.device)
        mixed, details = self.mixer.mix(inputs, scores, weights, index, draw.generator)
        # rounding moves a few winners, so the teacher looks at what will be stored
        pixels = self._to_pixels(mixed.float()).round().clamp(0, 255)
        logits = self.teacher(self._from_pixels(pixels)).float()
        classes = details.get('classes', scores.argmax(dim=1)[index])
        finished = top_classes_match(logits, classes)
        if not logits.isfinite().all():  # the labels go to the CPU at once, so no wait is added
            raise ValueError(
                "the teacher's logits for the mixes hold NaN or infinity, which label nothing; "
                "set dtype='float32' in the teacher, or give another checkpoint"
            )
        solves = 'finished' in details
        steps = details.get('iterations', torch.zeros_like(classes[:, 0]))
        fields = dict(
            images=_as_images(pixels.to(torch.uint8)),
            sources=draw.sources,
            flips=draw.flips,
            weights=details.get('weights', weights).float(),
            classes=classes,
            targets=logits.softmax(dim=1),
            winners=logits.argmax(dim=1),
            iterations=steps,
            finished=finished,
            wanted=finished if solves else torch.ones_like(finished),
            averages=finished & (steps == 0) if solves else torch.zeros_like(finished),
        )
        made = {name: value.cpu().numpy() for name, value in fields.items()}
        settle_verdicts()  # nothing that a check refuses late gets into a shard
        return made


def _as_images(pixels: Tensor) -> Tensor:
    """(n, 1, H, W) as (n, H, W), (n, 3, H, W) as (n, H, W, 3)."""
    return pixels[:, 0] if pixels.size(1) == 1 else pixels.permute(0, 2, 3, 1)


def check_teacher(teacher: Any, num_classes: int, known: int | None = None) -> None:
    """Refuse a teacher that can't label the data set.

    Args:
        teacher: The teacher, or None.
        num_classes: Number of classes of the data set.
        known: Number of classes of the teacher; by default what its config says, if it does.

    Raises:
        ValueError: If there is none or it knows another number of classes.
    """
    if teacher is None:
        raise ValueError(
            'the mixer has no teacher and nothing else labels the mixes; set generation=dict('
            'teacher=dict(config=..., checkpoint=...)) in the config'
        )
    known = teacher.num_classes if known is None else known
    if known is not None and known != num_classes:
        raise ValueError(
            f'the teacher knows {known} classes and the data set has {num_classes}; '
            'give a teacher of this data set'
        )
