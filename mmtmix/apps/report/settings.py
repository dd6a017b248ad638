"""Runs by setting, and what each offers to a comparison."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mmtmix.engine.run_record import DONE

from .comparison import SeedResult
from .section import RunSection
from .work_dir import WorkDir

# of a data set: how its images are read and shown, and not which ones they are
_NOT_IMAGES = frozenset({'pipeline', 'lazy_init', 'serialize_data', 'max_refetch', 'test_mode'})
_PATHS = frozenset({'data_root', 'data_prefix', 'ann_file'})


class Setting(NamedTuple):
    """Runs that differ in their seeds alone.

    Attributes:
        name: Name, which differs from those of other settings.
        runs: The runs, in the order given.
    """

    name: str
    runs: list[RunSection]


def group_settings(runs: Sequence[RunSection]) -> list[Setting]:
    """Return runs by setting: those whose records have one digest, in several seeds.

    A digest covers all that a result depends on, but the seed. So neither another folder nor a
    config that was edited between two seeds makes two settings one.

    Args:
        runs: Sections of any runs.

    Returns:
        Settings in the order given. A run without a digest, or with the seed of another one, is a
        setting of its own.
    """
    groups: dict[str, list[RunSection]] = {}
    for run in runs:
        key = run.work_dir.record.get('digest') or run.id
        if run.seed in [other.seed for other in groups.get(key, [])]:
            key = run.id
        groups.setdefault(key, []).append(run)
    names = [_name_of(group) for group in groups.values()]
    return [
        Setting(name if names.count(name) == 1 else _longer_name(group), group)
        for name, group in zip(names, groups.values(), strict=True)
    ]


def results_of(runs: Sequence[RunSection]) -> list[SeedResult]:
    """Return what runs offer to a comparison.

    Args:
        runs: Sections of the runs of a setting.
    """
    return [
        SeedResult(
            run.seed,
            run.top1.last if run.top1 else None,
            run.predicted.predictions,
            run.name,
            '' if is_finished(run.work_dir) else run.state,
            images_of(run.work_dir.config.get('val_dataloader')),
            images_of(run.work_dir.config.get('test_dataloader')),
        )
        for run in runs
    ]


def is_finished(run: WorkDir) -> bool:
    """Return whether a run was trained to its end.

    Args:
        run: Content of its work dir. Without a state in a record, the last validation of its log
            or its checkpoint must be of the last epoch, or iteration, of its config.
    """
    if run.state is not None:
        return run.state == DONE
    loop = run.config.get('train_cfg')
    loop = loop if isinstance(loop, Mapping) else {}
    for name, unit in (('max_epochs', 'epoch'), ('max_iters', 'iter')):
        last = loop.get(name)
        if not isinstance(last, int):
            continue
        validations = run.scalars.val if run.scalars else []
        steps = [record.get('step') for record in validations]
        return last in steps or (run.path / f'{unit}_{last}.pth').is_file()
    return False


def images_of(loader: Any) -> Mapping[str, Any] | None:
    """Return which images a loader of a config reads, without how they are read.

    Args:
        loader: Settings such as ``val_dataloader``.

    Returns:
        Settings of its data set, to be compared with others; None if there is none.
    """
    dataset = loader.get('dataset') if isinstance(loader, Mapping) else None
    return _images(dataset) if isinstance(dataset, Mapping) else None


def _images(value: Any) -> Any:
    if isinstance(value, Mapping):
        if str(value.get('type')).rpartition('.')[2] == 'ResidentDataset':
            return _images(value.get('dataset'))
        return {
            name: os.path.normpath(item)
            if name in _PATHS and isinstance(item, str) and item
            else _images(item)
            for name, item in value.items()
            if name not in _NOT_IMAGES
        }
    return [_images(item) for item in value] if isinstance(value, (list, tuple)) else value


def _name_of(group: Sequence[RunSection]) -> str:
    if len(group) == 1:
        return group[0].name
    common = os.path.commonprefix([run.name.split(os.sep) for run in group])
    name = os.path.join(*common) if common else group[0].name
    return f'{name} ({len(group)} seeds)'


def _longer_name(group: Sequence[RunSection]) -> str:
    """Return a name of a setting whose short one is that of another setting, too."""
    first, *others = (run.name for run in group)
    return f'{first} and {", ".join(others)}' if others else f'{first} (one run)'
