"""Tables of topics, sweeps and profiles."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mmtmix.utils import load_config, time_in_turns, work_dir_of

from .bench import Bench, Trained
from .goals import GOALS
from .profile import profile_call
from .report import Row, Section, measure_row
from .setting import Setting
from .topics import SWEEPS, TOPICS, Calls, sweep_calls
from .topics.learned import transformmix
from .topics.supermix import SUPERMIX

_SWEEP_REPEATS = 3


class Measurement:
    """Measures tables with the arguments of the command.

    Args:
        args: Arguments of :mod:`mmtmix.cli.benchmark`, checked.
    """

    def __init__(self, args: argparse.Namespace):
        self.args = args
        self.trained = read_trained(args)
        self.given = {
            name: getattr(args, name)
            for name in ('teacher', 'image_size', 'num_classes', 'batch_size')
        }

    def topic(self, name: str) -> Section:
        """Measure the table of a topic.

        Args:
            name: Name in :data:`TOPICS`.
        """
        topic = TOPICS[name]
        trained = self.trained if topic.takes_config else None
        setting = topic.setting.changed(**self.given)
        if topic.needs_config and trained is None:
            reason = 'it needs a trained teacher: give --config'
            return Section(setting.to_dict(), missing={name: reason})
        bench = self.bench(setting, trained)
        calls = topic.build(bench)
        if self.args.short:
            needed = {row for goal in GOALS if goal.margin for row in (goal.top, *goal.bottom)}
            calls.timed = {row: call for row, call in calls.timed.items() if row in needed}
        repeats = self.args.repeats or topic.repeats
        try:
            return self.section(bench, calls, repeats, memory=not self.args.short)
        finally:
            calls.close()

    def sweep(self, axis: str) -> Section:
        """Measure the cost at each value of a field.

        Args:
            axis: Name in :data:`SWEEPS`.
        """
        sweep = SWEEPS[axis]
        trained = self.trained if sweep.takes_config else None
        given = {name: each for name, each in self.given.items() if name != axis}
        found: Section | None = None
        for value in sweep.values:
            setting = sweep.at(axis, value).changed(**given)
            bench = self.bench(setting, trained)
            calls = sweep_calls(bench, value if axis == 'k' else 2)
            repeats = self.args.repeats or _SWEEP_REPEATS
            part = self.section(bench, calls, repeats, memory=False)
            found = found or Section(part.setting)
            found.rows |= {f'{name}, {value}': row for name, row in part.rows.items()}
        assert found is not None  # no sweep is empty
        return found

    def profiles(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Yield the names of augments and their operators."""
        bench = self.bench(Setting().changed(**self.given), self.trained)
        calls: dict[str, Callable[[], Any]] = {
            'CutMix': bench.mixer(type='SampleCutMix'),
            'TransformMix': transformmix(bench),
        }
        if bench.trained is not None:
            calls[SUPERMIX] = bench.mixer(type='SuperMix', teacher=bench.teacher)
        with bench.autocast():
            for name, call in calls.items():
                yield name, profile_call(call, self.args.device)

    def section(self, bench: Bench, calls: Calls, repeats: int, memory: bool = True) -> Section:
        """Measure the rows of a table.

        Args:
            bench: Batch and teacher.
            calls: Calls of the rows.
            repeats: Number of timed rows of calls, >= 1.
            memory: Whether the peak memory and the details of each call are measured as well.
        """
        device = self.args.device
        found = Section(bench.setting.to_dict(), missing=dict(calls.missing))
        with bench.live() if calls.live else nullcontext(), bench.autocast():
            timings = time_in_turns(calls.timed, repeats, device)
            for name, call in calls.timed.items():
                images = calls.images if name in calls.counted else None
                timing = timings[name]
                found.rows[name] = (
                    measure_row(call, timing, device, images)
                    if memory
                    else Row(timing.median, timing.spread)
                )
            for name, measure in calls.once.items():
                found.rows[name] = measure()
        return found

    def bench(self, setting: Setting, trained: Trained | None) -> Bench:
        """Return the bench of a setting.

        Args:
            setting: Batch and teacher.
            trained: Trained classifier, if there is one.
        """
        args = self.args
        return Bench(
            setting, trained, args.device, args.dtype, args.seed, args.compile, args.rival_iters
        )


def read_trained(args: argparse.Namespace) -> Trained | None:
    """Return the classifier of ``--config``; None without one.

    Args:
        args: Arguments of :mod:`mmtmix.cli.benchmark`.

    Raises:
        FileNotFoundError: If the config or its weights do not exist.
        ValueError: If the weights don't fit.
    """
    if args.config is None:
        return None
    cfg = load_config(args.config, args.cfg_options, args.variant)
    folder = work_dir_of(args.config, cfg, args.cfg_options, args.variant)
    trained = Trained(cfg, args.config, args.checkpoint or str(Path(folder, 'last.pth')))
    # its files are read once before anything is measured
    _ = Bench(Setting(batch_size=2), trained).teacher
    return trained
