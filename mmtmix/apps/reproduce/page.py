"""Blocks in a hand-written Markdown page that are made from results.

A block begins with a line such as ``<!-- results: paper/1/row -->`` for tables, or
``<!-- plot: paper/1 -->`` for a picture, or
``<!-- summary: TITLE = ROWS | ... ; TITLE = METHOD | ... -->`` for one small table. It ends with
``<!-- end -->``. With results of several experiments files, ``<!-- results of NAME: ... -->``
names those that it shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from .experiments import TOP1, Cell, choose_cells
from .plots import picture_name
from .report import render
from .results import CellResult
from .summary import Summary

_START = re.compile(r'<!-- *(results|plot|summary)(?: of ([\w-]+))?: *(\S.*?) *-->')
_END = '<!-- end -->'

Kind = Literal['results', 'plot', 'summary']


@dataclass(frozen=True)
class Block:
    """A part of a page.

    Attributes:
        kind: Kind of content: tables, a plot or a summary.
        name: Ids of cells for :func:`choose_cells`, separated by spaces; one table for a plot; for
            a summary the text of :meth:`Summary.parse`.
        start: Index of the line that begins it.
        end: Index of the line that ends it.
        text: Text between those lines.
        source: Name of the results that it shows; empty for the first ones.
    """

    kind: Kind
    name: str
    start: int
    end: int
    text: str
    source: str = ''

    def __str__(self) -> str:
        source = f' of {self.source}' if self.source else ''
        return f'{self.kind}{source}: {self.name} (line {self.start + 1})'

    def cells(self, cells: Mapping[str, Cell]) -> list[Cell]:
        """Return the cells that the block shows.

        Args:
            cells: Cells of an experiments file, by id.

        Raises:
            ValueError: If there is no such cell, or no such table.
        """
        try:
            if self.kind == 'summary':
                return Summary.parse(self.name).cells(cells)
            chosen = choose_cells(cells, self.name.split())
        except ValueError as error:
            raise ValueError(f'{self}: {error}') from error
        if self.kind == 'plot' and {cell.table for cell in chosen} != {self.name}:
            raise ValueError(f'{self}: a plot is of one table, such as {chosen[0].table}')
        return chosen

    def write(self, results: Sequence[CellResult], folder: str, prefix: str) -> str:
        """Return the text that the block must have.

        Args:
            results: Results of its cells.
            folder: Folder of the pictures, relative to the page.
            prefix: Beginning of the pictures' names.
        """
        if self.kind == 'summary':
            content = Summary.parse(self.name).render(results)
        elif self.kind == 'results':
            content = render(results, headings=False).rstrip('\n')
        elif any(result.values(TOP1) for result in results):
            picture = f'{folder}/{picture_name(self.name, prefix)}'
            content = f'![top-1 accuracy, every seed of {self.name}]({picture})'
        else:
            content = f'Nothing of {self.name} was run yet.'
        return f'\n{content}\n'


def find_blocks(text: str) -> list[Block]:
    """Return the blocks of a page.

    Args:
        text: Text of the page.

    Raises:
        ValueError: If a block is not closed, or a line closes none; with the line's number.
    """
    lines = text.split('\n')
    blocks: list[Block] = []
    start = 0
    begun: re.Match | None = None
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
            kind, source, name = begun.groups()
            blocks.append(Block(cast(Kind, kind), name, start, index, content, source or ''))
            begun = None
    if begun:
        raise ValueError(f'the block of line {start + 1}, {begun[0]}, is not closed by {_END}')
    return blocks


def fill(text: str, contents: Mapping[Block, str]) -> str:
    """Return a page with other texts in its blocks.

    Args:
        text: Text of the page.
        contents: New text of each block.
    """
    lines = text.split('\n')
    for block in sorted(contents, key=lambda block: block.start, reverse=True):
        lines[block.start + 1 : block.end] = contents[block].split('\n')
    return '\n'.join(lines)
