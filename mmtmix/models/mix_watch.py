"""Hand the mixes of a training step to whoever watches the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .draw import Details


@dataclass(frozen=True)
class MadeMix:
    """A batch of mixes as a training step made it.

    Attributes:
        maker: Name of the augment, or of what else mixed.
        mixed: Mixes, (M, C, H, W); None where they are no images, or masks and images make them.
        targets: Labels of the mixes, (M, num_classes); None where they are not known yet.
        images: Batch that was mixed, (N, C, H, W); None where it is unknown.
        scores: Labels of that batch, (N, num_classes), or None.
        details: Details of the mixes, as far as they are known; all R of chosen ``rows`` alone
            where these are given.
        rows: Numbers of the mixes that the details are of; None for all.
        warp: Function that returns the images where they lie in some of the mixes, from the batch
            and from the details of these mixes; None where the details have ``warped``, or images
            stay where they are.
        saliency_title: Name of the maps in the details' ``saliency``.
        makers: Names of the augments that ``choice`` in the details counts.
        note: Remark beside the pictures, such as the layer at which states are mixed.
    """

    maker: str
    mixed: Tensor | None = None
    targets: Tensor | None = None
    images: Tensor | None = None
    scores: Tensor | None = None
    details: Details = field(default_factory=dict)
    rows: tuple[int, ...] | None = None
    warp: Callable[[Tensor, Details], Tensor] | None = None
    saliency_title: str = 'Saliency'
    makers: tuple[str, ...] = ()
    note: str = ''


_watchers: list[Callable[[MadeMix], None]] = []


def is_watched() -> bool:
    """Return whether anybody watches the mixes of this step, so that details are worth making.

    Inside of a compiled network nobody does: a watcher would have it compiled once more.
    """
    return not torch.compiler.is_compiling() and bool(_watchers)


def report_mix(mix: MadeMix) -> None:
    """Hand a batch of mixes to all watchers.

    Args:
        mix: The mixes. Watchers neither keep nor change their tensors.
    """
    for watcher in _watchers:
        watcher(mix)


@contextmanager
def watching_mixes(watcher: Callable[[MadeMix], None]) -> Iterator[None]:
    """Call a function with all mixes that are made in a block.

    Args:
        watcher: Function that takes each :class:`MadeMix`. What it raises ends the step.
    """
    _watchers.append(watcher)
    try:
        yield
    finally:
        if watcher in _watchers:
            _watchers.remove(watcher)


def forget_watchers() -> None:
    """Remove the watchers that a run has left which ended by an exception."""
    _watchers.clear()
