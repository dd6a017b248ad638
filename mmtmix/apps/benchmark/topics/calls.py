"""What a topic wants measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mmtmix.apps.benchmark.report import Row


@dataclass
class Calls:
    """Rows of a table that are still to be measured.

    Attributes:
        timed: Functions that are timed in turns, by the names of their rows.
        once: Functions that measure a row themselves, by its name.
        images: Number of images per call, for the rows named in ``counted``.
        counted: Names of the rows for which images per second are of interest.
        missing: Reasons by the names of rows that cannot be measured here.
        close: Function that is called when everything is measured.
        live: Whether the teacher is also the network in training while the calls run.
    """

    timed: dict[str, Callable[[], Any]] = field(default_factory=dict)
    once: dict[str, Callable[[], Row]] = field(default_factory=dict)
    images: int | None = None
    counted: tuple[str, ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    close: Callable[[], object] = bool
    live: bool = False
