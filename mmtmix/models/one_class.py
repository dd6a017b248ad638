"""Labels that name several classes an image."""

from __future__ import annotations

from torch import Tensor

_ROUNDING = 0.01  # of soft labels of many classes in half precision


def check_one_class(batch_scores: Tensor) -> None:
    """Refuse multi-hot labels, where the host need not wait for a GPU to see them.

    Args:
        batch_scores: (N, num_classes). Rows of one-hot and of soft labels sum to 1.

    Raises:
        ValueError: If a row sums to more, on the CPU alone.
    """
    if batch_scores.device.type != 'cpu':
        return
    several = batch_scores.float().sum(dim=1) > 1 + _ROUNDING
    if several.any():
        row = int(several.int().argmax())
        raise ValueError(
            f'batch_scores names several classes an image (row {row} sums to '
            f'{float(batch_scores[row].float().sum()):.4g}), and this takes one class an image; '
            'give one-hot or soft labels, or mix images of several labels by a mixer that asks '
            'for no class, such as SampleMixup'
        )
