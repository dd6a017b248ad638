"""Keep a few mixes of one training step."""

from __future__ import annotations

import time
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager

import torch
from torch import Tensor

from mmtmix.models.augments import BatchAugment
from mmtmix.models.foreign_mix import ForeignAugment, ForeignDraw
from mmtmix.models.mix_watch import MadeMix, report_mix, watching_mixes
from mmtmix.models.teachers import InputStats

from .mix_lines import ClassNames, target_lines
from .samples import MixBlock, make_block

_MOST_BLOCKS = 4


class MixCapture:
    """Collects blocks of mixes while the step runs.

    Errors while copying don't reach the step: the first is kept.

    Args:
        count: Number of mixes of each augment, >= 1.
        stats: Normalisation of the images.
        order: Order of their channels, ``'rgb'`` or ``'bgr'``.
        classes: Names of the classes.
    """

    def __init__(self, count: int, stats: InputStats, order: str, classes: ClassNames):
        self.count, self.stats, self.order, self.classes = count, stats, order, classes
        self.blocks: list[MixBlock] = []
        self.error: Exception | None = None
        self.seconds = 0.0

    def __call__(self, mix: MadeMix) -> None:
        """Keep some of a batch of mixes, or the labels of mixes that were kept before."""
        start = time.perf_counter()
        images = mix.mixed if mix.images is None else mix.images
        kind = 'cpu' if images is None else images.device.type
        try:
            with torch.autocast(kind, enabled=False):
                self._keep(mix)
        except Exception as error:  # the training goes on without this picture
            self.error = self.error or error
        self.seconds += time.perf_counter() - start

    def _keep(self, mix: MadeMix) -> None:
        for number, block in enumerate(self.blocks):
            if mix.mixed is not None and block.mixed is mix.mixed:
                lines = target_lines(mix, block.rows, self.classes)
                self.blocks[number] = block.with_labels(lines)
                return
        if len(self.blocks) < _MOST_BLOCKS:
            block = make_block(mix, self.count, self.stats, self.order, self.classes)
            self.blocks.append(block)

    def taken(self) -> list[MixBlock]:
        """Return the blocks, with ``count`` mixes in all where there are several blocks."""
        share = -(-self.count // max(len(self.blocks), 1))
        return [block.first(share) for block in self.blocks]

    @contextmanager
    def watching(self, augments: list[MutableSequence]) -> Iterator[None]:
        """Keep mixes of a block of code.

        Args:
            augments: Lists of the augments of the run. Those of another library are replaced in
                the block by ones that report what they mix, and give the same.
        """
        kept = [list(group) for group in augments]
        for group in augments:
            for place, augment in enumerate(group):
                if augment is not None and not isinstance(augment, BatchAugment):
                    group[place] = _Reporting(augment, self)
        try:
            with watching_mixes(self):
                yield
        finally:
            for group, before in zip(augments, kept, strict=True):
                group[:] = before


class _Reporting:
    """An augment of another library that reports its mixes.

    Each call is one plain call of the augment. Copies of it are replayed to explain the mixes.
    """

    def __init__(self, augment: ForeignAugment, capture: MixCapture):
        self.augment, self.capture = augment, capture

    def __call__(self, images: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        start = time.perf_counter()
        before = self._prepare(images, scores)
        self.capture.seconds += time.perf_counter() - start
        mixed, targets = self.augment(images, scores)
        start = time.perf_counter()
        if before is not None:
            self._report(*before, mixed, targets)
        self.capture.seconds += time.perf_counter() - start
        return mixed, targets

    def _prepare(
        self, images: Tensor, scores: Tensor
    ) -> tuple[ForeignDraw, Tensor, Tensor] | None:
        """Keep the draw and the batch, to which the augment may write; None if it can't be."""
        try:
            draw = ForeignDraw(self.augment, images.device)
            if not draw.is_apart:
                raise ValueError(
                    f'{_name(self.augment)} cannot be copied, and replaying it could change the '
                    'training; make it a class whose attributes are all that it changes'
                )
            return draw, images.clone(), scores.clone()
        except Exception as error:
            self.capture.error = self.capture.error or error
            return None

    def _report(
        self, draw: ForeignDraw, images: Tensor, scores: Tensor, mixed: Tensor, targets: Tensor
    ) -> None:
        rows = tuple(range(min(self.capture.count, len(images))))
        try:
            details = draw.explain(images, scores, mixed, targets, rows)
        except Exception as error:
            self.capture.error = self.capture.error or error
            return
        maker = _name(self.augment)
        report_mix(MadeMix(maker, mixed, targets, images, scores.float(), details, rows))


def _name(augment: ForeignAugment) -> str:
    return getattr(augment, '__name__', type(augment).__name__)
