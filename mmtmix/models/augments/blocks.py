"""How many cells per side an image is divided into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch

from mmtmix.checks import check_integer, check_numbers

PUBLIC_BLOCKS = (2, 4, 8, 16)
"""What the public code of PuzzleMix draws from, for each batch."""


def read_blocks(block_num: int | Sequence[int] | None) -> tuple[int, ...]:
    """Return the numbers of cells per side that a batch may be given.

    Args:
        block_num: Number of cells per side, >= 1; several to draw from; or None for 2, 4, 8, 16.

    Returns:
        The numbers, at least one.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If it is none of these.
    """
    if block_num is None:
        return PUBLIC_BLOCKS
    if isinstance(block_num, (list, tuple)):
        check_numbers(
            'block_num', block_num, least=1, cure='one is drawn for each batch', whole=True
        )
        return tuple(block_num)
    cure = 'the cells per side; or give a list, as [2, 4, 8], or None for 2, 4, 8 and 16'
    check_integer('block_num', block_num, 1, cure=cure)
    return (cast(int, block_num),)


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
