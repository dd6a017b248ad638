"""Blocks in a hand-written Markdown page that are made from results.

A block begins with a line such as ``<!-- results: paper/1/row -->`` for tables,
``<!-- plot: paper/1 -->`` for a picture, ``<!-- forest: paper/1 COLUMN -->`` for a forest plot of
differences to a column, or ``<!-- summary: TITLE = ROWS | ... ; TITLE = METHOD | ... -->`` for one
small table. It ends with ``<!-- end -->``. With results of several experiments files,
``<!-- results of NAME: ... -->`` names those that it shows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from mmtmix.visualization import save_figure

from .experiments import TOP1, Cell, choose_cells
from .forest import draw_forest
from .plots import picture_name, plot_tables
from .report import render
from .results import CellResult
from .summary import Summary

_START = re.compile(r'<!-- *(results|plot|forest|summary)(?: of ([\w-]+))?: *(\S.*?) *-->')
_END = '<!-- end -->'

Kind = Literal['results', 'plot', 'forest', 'summary']


@dataclass(frozen=True)
class Block:
    """A part of a page.

    Attributes:
        kind: Kind of content: tables, a plot, a forest plot or a summary.
        name: Ids of cells for :func:`choose_cells`, separated by spaces; one table for a plot, and
            maybe the column of the reference for a forest plot; for a summary the text of
            :meth:`Summary.parse`.
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
            words = self.name.split()
            chosen = choose_cells(cells, words[:1] if self.kind == 'forest' else words)
        except ValueError as error:
            raise ValueError(f'{self}: {error}') from error
        is_plot = self.kind in ('plot', 'forest')
        if is_plot and {cell.table for cell in chosen} != {words[0]}:
            raise ValueError(f'{self}: a plot is of one table, such as {chosen[0].table}')
        references = {self.reference(cell) for cell in chosen}
        if self.kind == 'forest' and (
            len(words) > 2 or any(references != {*cell.against} & references for cell in chosen)
        ):
            raise ValueError(
                f'{self}: a forest plot is of a table, and maybe a column that all its rows are '
                'compared with'
            )
        return chosen

    def reference(self, cell: Cell) -> str:
        """Return the column that a forest plot compares with.

        Args:
            cell: Cell of its table.
        """
        return self.name.split()[1] if ' ' in self.name else next(iter(cell.against), '')

    def picture(self, prefix: str) -> str:
        """Return the file name of its picture.

        Args:
            prefix: Beginning of the pictures' names.
        """
        table, *reference = self.name.split()
        end = ['forest', *reference] if self.kind == 'forest' else []
        return picture_name('_'.join([table, *end]), prefix)

    def draw(self, results: Sequence[CellResult], folder: str | os.PathLike, prefix: str) -> None:
        """Write the picture of a plot, if a cell of its table was run.

        Args:
            results: Results of its cells.
            folder: Folder of the pictures.
            prefix: Beginning of the pictures' names.
        """
        finished = [result for result in results if result.values(TOP1)]
        if self.kind == 'plot':
            plot_tables(finished, folder, prefix)
        elif self.kind == 'forest' and finished:
            table = finished[0].cell.table
            figure = draw_forest(table, finished, self.reference(finished[0].cell))
            save_figure(figure, Path(folder, self.picture(prefix)))

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
            picture = f'{folder}/{self.picture(prefix)}'
            table = results[0].cell.table
            if self.kind == 'plot':
                content = f'![top-1 accuracy, every seed of {table}]({picture})'
            else:
                reference = self.reference(results[0].cell)
                content = f'![differences to {reference} in {table}, with intervals]({picture})'
        else:
            content = f'Nothing of {results[0].cell.table} was run yet.'
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
