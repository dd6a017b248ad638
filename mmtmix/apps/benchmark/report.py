"""Figures of a run of the benchmark, and their file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mmtmix.utils import Timing, atomic_path, peak_memory, seconds_of

BLEND, FORWARD = 'plain blend', 'teacher forward'
STEP = 'step'
"""Beginning of the names of rows that are whole steps."""


@dataclass
class Row:
    """Cost of a call; None where a figure does not exist or was not measured.

    Attributes:
        seconds: Median seconds per call.
        spread: Interquartile range of the seconds per call.
        megabytes: Peak memory in MiB, beyond what was in use before the call.
        images: Number of images per call.
        iterations: Mean number of a solver's steps per mix.
        finished: Share of mixes whose top classes are those of all their images, in [0, 1].
        value: Another figure, which the row's name describes.
    """

    seconds: float | None = None
    spread: float | None = None
    megabytes: float | None = None
    images: int | None = None
    iterations: float | None = None
    finished: float | None = None
    value: float | None = None


@dataclass
class Section:
    """Table of one topic.

    Attributes:
        setting: Fields of :class:`Setting` that were measured.
        rows: Rows by name.
        missing: Reasons by the names of rows that could not be measured.
    """

    setting: dict[str, Any]
    rows: dict[str, Row] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


@dataclass
class Report:
    """All figures of a run.

    Attributes:
        machine: What :func:`describe_machine` returned.
        sections: Tables by the names of their topics.
        profiles: Operators of an augment, the most expensive one first, by the augment's name.
    """

    machine: dict[str, Any]
    sections: dict[str, Section] = field(default_factory=dict)
    profiles: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def save(self, path: str | os.PathLike) -> None:
        """Write the figures to a JSON file.

        Args:
            path: Path of the file.

        Raises:
            OSError: If it cannot be written.
        """
        content = asdict(self)
        for section in content['sections'].values():
            rows = section['rows'].items()
            section['rows'] = {name: _rounded(row) for name, row in rows}
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + '\n', encoding='utf-8')

    @classmethod
    def load(cls, path: str | os.PathLike) -> Report:
        """Read the figures of a file that :meth:`save` wrote.

        Args:
            path: Path of the file.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is no such file.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(
                f"file of costs '{path}' does not exist; `mmtmix benchmark --json {path}` "
                'measures and writes it'
            )
        try:
            content = json.loads(Path(path).read_text(encoding='utf-8'))
            sections = {
                name: Section(
                    found['setting'],
                    {key: Row(**row) for key, row in found['rows'].items()},
                    found['missing'],
                )
                for name, found in content['sections'].items()
            }
            return cls(content['machine'], sections, content['profiles'])
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"'{path}' is no file of `mmtmix benchmark --json` of this version ({error!r}); "
                'measure again'
            ) from error


def measure_row(
    call: Callable[[], Any], timing: Timing | None, device: str, images: int | None = None
) -> Row:
    """Return a row of a table, with the peak memory and the details of one more call.

    Args:
        call: Function that was timed; a solver's returns its details.
        timing: Time of the call; None takes that of this one call.
        device: Device that the call runs on.
        images: Number of images per call.
    """
    kept: list[Any] = []
    seconds: list[float] = []
    timed = partial(seconds_of, lambda: kept.append(call()), device)
    peak = peak_memory(lambda: seconds.append(timed()), device)
    taken = Timing(seconds[0], 0.0) if timing is None else timing
    row = Row(taken.median, taken.spread, None if peak is None else peak / 2**20, images)
    details = kept[0]
    if isinstance(details, Mapping) and 'iterations' in details:
        row.iterations = details['iterations'].float().mean().item()
        row.finished = details['finished'].float().mean().item()
    return row


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Return the figures that exist, with six digits, so that files are read and compared."""
    found = {name: value for name, value in row.items() if value is not None}
    return {
        name: float(f'{value:.6g}') if isinstance(value, float) else value
        for name, value in found.items()
    }
