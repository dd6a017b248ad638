"""Labels that name several classes of an image, or none."""

from __future__ import annotations

import torch
from torch import Tensor

from .late_verdict import LateVerdict

_ROUNDING = 0.01  # of soft labels of many classes in half precision

# One for the process: on CUDA a verdict arrives after the call that it is about.
_late = LateVerdict()


def check_one_class(batch_scores: Tensor) -> None:
    """Refuse labels of which no single class stands for the image.

    Args:
        batch_scores: (N, num_classes). Rows of one-hot and of soft labels sum to 1.

    Raises:
        ValueError: If a row sums to more, or to 0; on CUDA by a later call, without a wait.
    """
    if batch_scores.is_meta or batch_scores.numel() == 0:
        return
    sums = batch_scores.detach().sum(dim=1, dtype=torch.float32)
    lowest, highest = torch.aminmax(sums)
    flags = torch.stack([highest <= 1 + _ROUNDING, lowest > 0])
    _late.raise_unless(flags, lambda known: _describe(known, sums))


def _describe(known: list[bool], sums: Tensor) -> str:
    row = int(sums.argmin() if known[0] else sums.argmax())
    what = 'no class' if known[0] else 'several classes'
    return (
        f'batch_scores names {what} of an image (row {row} sums to {float(sums[row]):.4g}), and '
        'this takes one class per image; give one-hot or soft labels, or mix images of several '
        'labels by a mixer that needs no class, such as SampleMixup'
    )
