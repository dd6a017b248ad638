"""Experiments: cells of the papers' tables, with the config of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, Literal

from mmtmix.apps.evaluate.names import suite_of

Checkpoint = Literal['last', 'best', 'median']

ACCURACIES = ('accuracy/top1', 'accuracy/top5')  # in the order of printed figures
TOP1 = ACCURACIES[0]
LAST_FILE = 'last.pth'


@dataclass(frozen=True)
class Cell:
    """A figure of a table, and the experiment that reproduces it.

    Attributes:
        id: Name of the cell, ``paper/table/row/column``.
        printed: Top-1 and maybe top-5 accuracy in percent as the paper prints them; empty where
            it prints none.
        config: Path of the config that reproduces it; empty if it is only quoted.
        quoted: Reason why it cannot be reproduced; empty if it can.
        options: Overrides of the config, as for ``--cfg-options``.
        variants: Values, by name, of variants that the config declares.
        checkpoint: Validation that counts: the ``'last'`` one, the ``'best'`` one, or the
            ``'median'`` of the last ten.
        metrics: Metrics that count, by their names in a training log. Those of an evaluation are
            ``SUITE/FIGURE``, with the settings of :attr:`evaluate` behind them.
        against: Columns of its row that it is compared with.
        seeds: Seeds that count, fixed before any run; empty if all count.
        evaluate: Arguments of ``mmtmix evaluate`` that are no defaults, by name.
        oracle: Column of its row whose gain over the first column in ``against`` is the whole of
            which other gains are shown as shares; empty for none.
    """

    id: str
    printed: tuple[float, ...] = ()
    config: str = ''
    quoted: str = ''
    options: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, str] = field(default_factory=dict)
    checkpoint: Checkpoint = 'last'
    metrics: tuple[str, ...] = ACCURACIES
    against: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    evaluate: Mapping[str, Any] = field(default_factory=dict)
    oracle: str = ''

    @property
    def table(self) -> str:
        """Return ``paper/table``."""
        return '/'.join(self.id.split('/')[:2])

    @property
    def row(self) -> str:
        """Return ``paper/table/row``."""
        return self.id.rpartition('/')[0]

    @property
    def column(self) -> str:
        """Return ``column``."""
        return self.id.rpartition('/')[2]


def choose_cells(cells: Mapping[str, Cell], wanted: Sequence[str]) -> list[Cell]:
    """Return the cells whose ids match.

    Args:
        cells: Cells by id.
        wanted: Ids. In a part of an id, ``*`` stands for any characters. An id without its last
            parts stands for all cells below it.

    Raises:
        ValueError: If an id matches no cell; the message suggests similar ids.
    """
    chosen: dict[str, Cell] = {}
    for name in wanted:
        found = [cell for cell in cells if _fits(cell.split('/'), name.split('/'))]
        if not found:
            close = get_close_matches(name, _names(cells), n=4)
            hint = (
                f'did you mean {" or ".join(close)}?'
                if close
                else 'list shows all of this file, --experiments names another'
            )
            raise ValueError(f'there is no cell {name!r}; {hint}')
        chosen |= {cell: cells[cell] for cell in found}
    return list(chosen.values())


def _fits(cell: Sequence[str], wanted: Sequence[str]) -> bool:
    """Return whether an id begins with parts that match."""
    return len(wanted) <= len(cell) and all(map(fnmatchcase, cell, wanted))


def _names(cells: Iterable[str]) -> set[str]:
    """Return the ids and their beginnings."""
    return {'/'.join(cell.split('/')[:depth]) for cell in cells for depth in range(1, 9)}


def plain_metric(metric: str) -> str:
    """Return the name of a metric without the settings of its evaluation.

    Args:
        metric: Name of the metric, as in :attr:`Cell.metrics`.
    """
    return metric.partition(' (')[0] if suite_of(metric) else metric
