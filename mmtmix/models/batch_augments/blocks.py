"""How many cells per side an image is divided into."""

from __future__ import annotations

from collections.abc import Sequence

import torch

PUBLIC_BLOCKS = (2, 4, 8, 16)
"""What the public code of PuzzleMix draws from, for each batch."""


def read_blocks(block_num: int | Sequence[int] | None) -> tuple[int, ...]:
    """Return the numbers of cells per side that a batch may be given.

    Args:
        block_num: Number of cells per side, >= 1; several to draw from; or None for 2, 4, 8, 16.

    Returns:
        The numbers, at least one.

    Raises:
        ValueError: If it is none of these.
    """
    if block_num is None:
        return PUBLIC_BLOCKS
    listed = block_num if isinstance(block_num, (list, tuple)) else [block_num]
    numbers = [n for n in listed if isinstance(n, int) and not isinstance(n, bool) and n >= 1]
    if not listed or len(numbers) < len(listed):
        raise ValueError(
            'block_num must be None or an integer >= 1, the cells per side, or a list of such '
            f'integers to draw from for each batch, as [2, 4, 8], got {block_num!r}'
        )
    return tuple(numbers)


def draw_blocks(choices: Sequence[int], generator: torch.Generator) -> int:
    """Draw the number of cells per side of a batch.

    Args:
        choices: Numbers from :func:`read_blocks`.
        generator: Source of randomness on the CPU; unused if there is a single choice.

    Returns:
        One of the choices, each with the same probability.
    """
    if len(choices) == 1:
        return choices[0]
    return choices[int(torch.randint(len(choices), (), generator=generator))]
