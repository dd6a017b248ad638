"""The page: sections of runs, and what several have in common, filled into a template."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from mmtmix.evaluation.calibration import FEW_IMAGES
from mmtmix.version import __version__

from .charts import BOTTOM, HEIGHT, LEFT, RIGHT, WIDTH
from .comparison import compare
from .config_changes import config_changes
from .curves import run_charts
from .figures import WINDOW
from .section import RunSection
from .settings import Setting, group_settings, is_finished, results_of

_PARTS = ('result', 'curves', 'mixes', 'classes', 'calibration', 'cost', 'stages', 'config')
_BOX = dict(width=WIDTH, height=HEIGHT, left=LEFT, right=RIGHT, bottom=BOTTOM)


def render_page(runs: Sequence[RunSection]) -> str:
    """Return the page of one run, or of several side by side.

    Args:
        runs: Sections, the first one that others are compared with.
    """
    environment = Environment(
        loader=PackageLoader('mmtmix.apps.report'),
        autoescape=True,  # whatever the names of the templates
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters['fixed'] = lambda value: f'{value:.2f}'
    environment.filters['signed'] = lambda value: f'{value:+.2f}'.replace('-', '\u2212')
    values = _of_one(runs[0]) if len(runs) == 1 else _of_several(runs)
    template = environment.get_template('report.html.j2')
    return template.render(runs=runs, version=__version__, box=_BOX, window=WINDOW, **values)


def short_names(paths: Sequence[str | os.PathLike]) -> list[str]:
    """Return the shortest ends of paths that differ from each other.

    >>> short_names(['runs/a/cutmix', 'runs/a/mixup'])
    ['cutmix', 'mixup']

    Args:
        paths: Paths of work dirs, each once.
    """
    parts = [Path(os.path.abspath(path)).parts for path in paths]
    length = 2 if len(parts) == 1 else 1
    while length < max(map(len, parts)):
        names = [os.path.join(*each[-length:]) for each in parts]
        if len(set(names)) == len(names):
            return names
        length += 1
    return [os.path.join(*each[-length:]) for each in parts]


def _of_one(run: RunSection) -> dict[str, Any]:
    parts = [part for part in _PARTS if part != 'calibration' or run.classes is not None]
    names = [(f'{run.id}-{part}', part.capitalize()) for part in (*parts, 'environment')]
    return dict(title=run.name, contents=names)


def _of_several(runs: Sequence[RunSection]) -> dict[str, Any]:
    settings = group_settings(runs)
    names = [setting.name for setting in settings]
    reference = results_of(settings[0].runs)
    differences = [
        compare(name, results_of(of_setting), names[0], reference)
        for name, of_setting in settings[1:]
    ]
    logs = {run.name: run.work_dir.scalars for run in runs if run.work_dir.scalars}
    known = [setting for setting in settings if setting.runs[0].work_dir.config]
    configs = [setting.runs[0].work_dir.config for setting in known]
    found = config_changes(configs) if len(known) > 1 else []
    contents = [
        ('figures', 'Final figures'),
        ('differences', 'Differences'),
        ('curves', 'Curves'),
        ('configs', 'Configs'),
        *((run.id, run.name) for run in runs),
    ]
    return dict(
        title=_title(names),
        contents=contents,
        differences=differences,
        by_seed=any(each.has_interval for each in differences),
        by_images=any(each.same_images for each in differences),
        spread=_spread(runs),
        charts=run_charts(logs, _styles(settings)) if logs else [],
        config_changes=found,
        config_names=[setting.name for setting in known],
        config_text=_config_text(len(settings), len(known)),
        few_images=any(run.classes and run.classes.calibration_note for run in runs)
        and FEW_IMAGES,
        mixed_precision=_mixed_precision(runs),
    )


def _styles(settings: Sequence[Setting]) -> dict[str, tuple[int, int]]:
    """Return a colour for each setting and dashes for each of its seeds, by name of the run."""
    alone = all(len(setting.runs) == 1 for setting in settings)
    return {
        run.name: (colour, colour if alone else seed)
        for colour, setting in enumerate(settings)
        for seed, run in enumerate(setting.runs)
    }


def _title(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return (
        f'{", ".join(names[:-1])} and {names[-1]}' if len(names) < 4 else f'{len(names)} settings'
    )


def _spread(runs: Sequence[RunSection]) -> str:
    values = [run.top1.last for run in runs if run.top1 and is_finished(run.work_dir)]
    if len(values) < 2:
        return 'fewer than two of them are finished and have an accuracy.'
    return (
        f'their last accuracies have a mean of {statistics.fmean(values):.2f} and a standard '
        f'deviation of {statistics.stdev(values):.2f}, over {len(values)} seeds.'
    )


def _config_text(settings: int, known: int) -> str:
    if settings == 1:
        return 'All runs are of one config with the same variants and options.'
    if known < 2:
        return 'Fewer than two work dirs hold a copy of their config.'
    return 'Their configs differ in nothing that a result depends on.'


def _mixed_precision(runs: Sequence[RunSection]) -> str:
    """Return a warning if the runs computed in different precision; empty if not."""
    found = {run.name: run.work_dir.record.get('precision') for run in runs}
    known = {name: precision for name, precision in found.items() if precision}
    if len(set(known.values())) < 2:
        return ''
    listed = ', '.join(f'{name} in {precision}' for name, precision in known.items())
    return f'They computed in different precision: {listed}. That alone may change results.'
