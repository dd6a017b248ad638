"""A hand-written Markdown page, with blocks that are made from results.

A block begins with a line such as ``<!-- results: paper/1/row -->`` for tables, or
``<!-- plot: paper/1 -->`` for a picture, and ends with ``<!-- end -->``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .experiments import TOP1, Cell, choose_cells
from .plots import picture_name
from .report import render
from .results import CellResult

_START = re.compile(r'<!-- *(results|plot): *(\S.*?) *-->')
_END = '<!-- end -->'


@dataclass(frozen=True)
class Block:
    """A part of a page.

    Attributes:
        kind: What it shows.
        name: Ids of cells as :func:`choose_cells` takes them, apart by spaces; of a plot one
            table.
        start: Index of the line that begins it.
        end: Index of the line that ends it.
        text: What is between those.
    """

    kind: Literal['results', 'plot']
    name: str
    start: int
    end: int
    text: str

    def __str__(self) -> str:
        return f'{self.kind}: {self.name} (line {self.start + 1})'

    def cells(self, cells: Mapping[str, Cell]) -> list[Cell]:
        """Those of an experiments file that it shows.

        Raises:
            ValueError: If there is no such cell, or no such table.
        """
        try:
            chosen = choose_cells(cells, self.name.split())
        except ValueError as error:
            raise ValueError(f'{self}: {error}') from error
        if self.kind == 'plot' and {cell.table for cell in chosen} != {self.name}:
            raise ValueError(f'{self}: a plot is of one table, such as {chosen[0].table}')
        return chosen

    def write(self, results: Sequence[CellResult], folder: str, prefix: str) -> str:
        """Its text as it must be.

        Args:
            results: Of its cells.
            folder: Of the pictures, as seen from the page.
            prefix: What their names begin with.
        """
        if self.kind == 'results':
            content = render(results, headings=False).rstrip('\n')
        elif any(result.values(TOP1) for result in results):
            picture = f'{folder}/{picture_name(self.name, prefix)}'
            content = f'![top-1 accuracy, every seed of {self.name}]({picture})'
        else:
            content = f'Nothing of {self.name} was run yet.'
        return f'\n{content}\n'


def find_blocks(text: str) -> list[Block]:
    """The blocks of a page.

    Raises:
        ValueError: If one isn't closed or none was open, with the line's number.
    """
    lines = text.split('\n')
    blocks: list[Block] = []
    start, begun = 0, None
    for index, line in enumerate(map(str.strip, lines)):
        begins = _START.fullmatch(line)
        if begun and begins:
            break
        if begins:
            start, begun = index, begins
        elif line == _END:
            if begun is None:
                raise ValueError(f'line {index + 1} ends a block, but none is open')
            content = '\n'.join(lines[start + 1 : index])
            blocks.append(Block(begun[1], begun[2], start, index, content))
            begun = None
    if begun:
        raise ValueError(f'the block of line {start + 1}, {begun[0]}, is not closed by {_END}')
    return blocks


def fill(text: str, contents: Mapping[Block, str]) -> str:
    """A page with other texts in its blocks."""
    lines = text.split('\n')
    for block in sorted(contents, key=lambda block: block.start, reverse=True):
        lines[block.start + 1 : block.end] = contents[block].split('\n')
    return '\n'.join(lines)
