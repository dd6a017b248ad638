"""The rows of a table of costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from mmtmix.utils import peak_memory, seconds_of

Call = Callable[[], object]


class Units(NamedTuple):
    """Seconds of what others are compared with."""

    blend: float
    forward: float


@dataclass
class Row:
    """What a mixer costs.

    Attributes:
        seconds: Median time of a batch.
        blends: The same in plain blends of the batch.
        forwards: The same in forward passes of the teacher.
        iterations: The solver's mean steps a sample.
        finished: Share of samples in which the teacher sees all images.
        megabytes: Peak memory.
    """

    seconds: float
    blends: float
    forwards: float
    iterations: float | None = None
    finished: float | None = None
    megabytes: float | None = None


def measure_row(call: Call, units: Units, device: str, median: float | None = None) -> Row:
    """A row of the table from one more call: its memory, its time unless known, its details."""
    kept: list[object] = []
    seconds: list[float] = []
    timed = partial(seconds_of, lambda: kept.append(call()), device)
    peak = peak_memory(lambda: seconds.append(timed()), device)
    taken = seconds[0] if median is None else median
    megabytes = None if peak is None else peak / 2**20
    found = Row(taken, taken / units.blend, taken / units.forward, megabytes=megabytes)
    details = kept[0]
    if isinstance(details, dict) and 'iterations' in details:
        found.iterations = details['iterations'].float().mean().item()
        found.finished = details['finished'].float().mean().item()
    return found


def table(rows: dict[str, Row]) -> str:
    """The figures as Markdown."""
    lines = [
        '| | ms | x plain blend | x teacher forward | iterations | finished (%) | peak (MiB) |',
        '|---|---|---|---|---|---|---|',
    ]
    for name, found in rows.items():
        iterations = '-' if found.iterations is None else f'{found.iterations:.1f}'
        finished = '-' if found.finished is None else f'{100 * found.finished:.1f}'
        peak = '-' if found.megabytes is None else f'{found.megabytes:.0f}'
        lines.append(
            f'| {name} | {1e3 * found.seconds:.1f} | {found.blends:.1f} | {found.forwards:.2f} | '
            f'{iterations} | '
            f'{finished} | {peak} |'
        )
    return '\n'.join(lines)
