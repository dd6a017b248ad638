"""The page: sections of runs, and what several have in common, filled into a template."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from mmtmix.version import __version__

from .charts import BOTTOM, HEIGHT, LEFT, RIGHT, WIDTH
from .comparison import SeedResult, compare
from .config_changes import config_changes
from .curves import run_charts
from .figures import WINDOW
from .section import RunSection

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
    names = list(settings)
    differences = [
        compare(name, _results(settings[name]), names[0], _results(settings[names[0]]))
        for name in names[1:]
    ]
    logs = {run.name: run.work_dir.scalars for run in runs if run.work_dir.scalars}
    firsts = [of_setting[0] for of_setting in settings.values()]
    known = [run for run in firsts if run.work_dir.config]
    found = config_changes([run.work_dir.config for run in known]) if len(known) > 1 else []
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
        config_names=[name for name, of in settings.items() if of[0] in known],
        config_text=_config_text(len(settings), len(known)),
        mixed_precision=_mixed_precision(runs),
    )


def group_settings(runs: Sequence[RunSection]) -> dict[str, list[RunSection]]:
    """Return runs by setting: those of one config, variants and options, in several seeds.

    Args:
        runs: Sections of any runs.

    Returns:
        Runs by the name of the setting, in the order given. A run without a record, or with the
        seed of another one, is a setting of its own.
    """
    groups: dict[Any, list[RunSection]] = {}
    for run in runs:
        record = run.work_dir.record
        key: Any = tuple(str(record.get(n)) for n in ('config', 'variants', 'options', 'changes'))
        alike = groups.get(key, [])
        if not record.get('config') or run.seed in [other.seed for other in alike]:
            key = run.id
        groups.setdefault(key, []).append(run)
    return {_name_of(group): group for group in groups.values()}


def _styles(settings: Mapping[str, Sequence[RunSection]]) -> dict[str, tuple[int, int]]:
    """Return a colour for each setting and dashes for each of its seeds, by name of the run."""
    alone = all(len(group) == 1 for group in settings.values())
    return {
        run.name: (colour, colour if alone else seed)
        for colour, group in enumerate(settings.values())
        for seed, run in enumerate(group)
    }


def _name_of(group: Sequence[RunSection]) -> str:
    if len(group) == 1:
        return group[0].name
    common = os.path.commonprefix([run.name.split(os.sep) for run in group])
    name = os.path.join(*common) if common else group[0].name
    return f'{name} ({len(group)} seeds)'


def _results(runs: Sequence[RunSection]) -> list[SeedResult]:
    return [
        SeedResult(run.seed, run.top1.last if run.top1 else None, run.predicted.predictions)
        for run in runs
    ]


def _title(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return (
        f'{", ".join(names[:-1])} and {names[-1]}' if len(names) < 4 else f'{len(names)} settings'
    )


def _spread(runs: Sequence[RunSection]) -> str:
    values = [run.top1.last for run in runs if run.top1]
    if len(values) < 2:
        return 'fewer than two of them have an accuracy.'
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
