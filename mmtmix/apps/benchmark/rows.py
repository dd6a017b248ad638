"""Rows of a table of costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from mmtmix.utils import peak_memory, seconds_of

Call = Callable[[], object]


class Units(NamedTuple):
    """Seconds of the two operations that the others are compared with.

    Attributes:
        blend: Seconds of a plain blend of the batch, > 0.
        forward: Seconds of a forward pass of the teacher, > 0.
    """

    blend: float
    forward: float


@dataclass
class Row:
    """Cost of an augment.

    Attributes:
        seconds: Median time per batch.
        blends: Time per batch, in plain blends of the batch.
        forwards: Time per batch, in forward passes of the teacher.
        iterations: Mean number of the solver's steps per mix; None without a solver.
        finished: Share of mixes whose top classes are those of all their images, in [0, 1]; None
            without a solver.
        megabytes: Peak memory in MiB; None where it is not measured.
    """

    seconds: float
    blends: float
    forwards: float
    iterations: float | None = None
    finished: float | None = None
    megabytes: float | None = None


def measure_row(call: Call, units: Units, device: str, median: float | None = None) -> Row:
    """Return a row of the table from one more call.

    Args:
        call: Function that mixes the batch; a solver's returns its details.
        units: Seconds that the times are divided by.
        device: Device that the call runs on.
        median: Median seconds of the call; None takes the time of this call.
    """
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
    """Return the rows as a table in Markdown.

    Args:
        rows: Rows by name.
    """
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
            f'{iterations} | {finished} | {peak} |'
        )
    return '\n'.join(lines)
