"""The best module of a study, beside a description of how it was chosen."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmtmix.utils import atomic_path

from .settings import TuneSettings
from .store import TrialStore, locked
from .trial import path_of

BEST_FILE, MODULE_FILE = 'best.json', 'mixer.pth'


def median_seed(values: Sequence[float], settings: TuneSettings) -> int:
    """Return the seed whose value is the median; of two in the middle, that of the worse one.

    The best seed's module would be chosen by luck, and would promise more than the parameters
    give.

    Args:
        values: Values of the metric, by seed, at least one.
        settings: Settings of the study.
    """
    order = sorted(range(len(values)), key=lambda place: values[place])
    lower, upper = order[(len(order) - 1) // 2], order[len(order) // 2]
    is_low_worse = settings.is_better(values[upper], values[lower])
    return settings.seeds[lower if is_low_worse else upper]


def best_trial(store: TrialStore) -> Any:
    """Return the complete trial with the best mean, the earliest of equal ones; None without any.

    Args:
        store: Trials of the study.
    """
    best = None
    for trial in store.trials('COMPLETE'):
        if best is None or store.settings.is_better(trial.value, best.value):
            best = trial
    return best


def keep_best(store: TrialStore) -> dict[str, Any] | None:
    """Make ``DIR/best`` hold the module of the best trial, and return its description.

    ``best.json`` exists only beside the module that it describes: it is deleted before the module
    is replaced, and written after that. A process that was killed in between leaves none, and the
    next one writes it.

    Args:
        store: Trials of the study.

    Returns:
        The content of ``best.json``; None if no trial is complete.

    Raises:
        FileNotFoundError: If the runs of the best trial were deleted before its module was kept.
        OSError: If a file can't be read or written.
    """
    folder = store.out / 'best'
    with locked(store.out):
        trial = best_trial(store)
        if trial is None:
            return None
        values, settings = trial.user_attrs['values'], store.settings
        seed = median_seed(values, settings)
        source = path_of(store.folder_of(trial.number), seed)
        if not source.is_file() and _trial_of(folder) != trial.number:
            raise FileNotFoundError(
                f'{source}, the module of the best trial, is not there; {folder} holds none of it'
            )
        described = dict(
            metric=settings.metric,
            direction=settings.direction,
            trial=trial.number,
            parameters=trial.params,
            mean=statistics.fmean(values),
            deviation=statistics.stdev(values) if len(values) > 1 else None,
            values=dict(zip(map(str, settings.seeds), values, strict=True)),
            seed=seed,
            sha256=_digest(source if source.is_file() else folder / MODULE_FILE),
            config=settings.config,
            variants=dict(settings.variants),
            options=list(settings.options),
            trials={name: len(store.trials(name)) for name in ('COMPLETE', 'PRUNED', 'FAIL')},
        )
        _replace(folder, source, described)
    return described


def _trial_of(folder: Path) -> int | None:
    """Return the trial whose module a folder holds; None if that is not known."""
    path = folder / BEST_FILE
    return json.loads(path.read_bytes())['trial'] if path.is_file() else None


def _replace(folder: Path, source: Path, described: dict[str, Any]) -> None:
    """Put a module and its description into a folder."""
    path, module = folder / BEST_FILE, folder / MODULE_FILE
    text = json.dumps(described, indent=1) + '\n'
    if not module.is_file() or _digest(module) != described['sha256']:
        path.unlink(missing_ok=True)
        with atomic_path(module) as temporary:
            shutil.copyfile(source, temporary)
    if not path.is_file() or path.read_text(encoding='utf-8') != text:
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding='utf-8')


def _digest(path: str | os.PathLike) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
