"""The file of experiments, read into cells."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml

from mmtmix.apps.evaluate.names import DEFAULTS, suite_of
from mmtmix.engine.stage_seeds import OF_RUN, STAGE_SEEDS

from .experiments import ACCURACIES, LAST_FILE, TOP1, Cell, Checkpoint

_SHARED_FIELDS = {'config', 'options', 'variants', 'checkpoint', 'stages'}
_ROW_FIELDS = _SHARED_FIELDS | {'metrics', 'evaluate', 'against', 'oracle', 'seeds', 'cells'}
_CELL_FIELDS = _SHARED_FIELDS | {'printed', 'quoted'}


def read_experiments(path: str | os.PathLike) -> dict[str, Cell]:
    """Read the cells of an experiments file such as ``configs/experiments.yaml``.

    Args:
        path: Path of a YAML file. For each ``paper/table/row`` it has ``cells`` by column. A row
            may also have a ``checkpoint``, ``metrics``, the ``seeds`` that count, and ``against``:
            columns that its cells are compared with by top-1 accuracy. With ``oracle``, one of its
            columns, gains over the first of these are also shown as shares of the oracle's. With
            metrics of an evaluation it may have ``evaluate``, arguments of the command. The
            ``config``, ``options``, ``variants`` and ``stages`` of a row hold for all its cells. A
            cell may override them; its options and variants override those of the row one by one.
            With ``stages: per_seed``, in place of ``shared``, each seed has teachers, searches and
            other required runs of its own, by the option ``stage_seeds=run``.

    Returns:
        Cells by id, in the order of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If an entry is malformed.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'experiments file {str(path)!r} does not exist')
    try:
        rows = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except yaml.YAMLError as error:
        raise ValueError(f'{path} is no valid YAML: {" ".join(str(error).split())}') from error
    if not isinstance(rows, Mapping):
        raise ValueError(f'{path} must hold a mapping of paper/table/row, got {rows!r}')
    cells: dict[str, Cell] = {}
    for row, content in rows.items():
        cells |= _row(row, content, path)
    return cells


def _row(row: str, content: Any, path: str | os.PathLike) -> dict[str, Cell]:
    is_row = isinstance(content, Mapping) and isinstance(content.get('cells'), Mapping)
    if not is_row or not set(content) <= _ROW_FIELDS:
        raise ValueError(f'{row} in {path} must hold {sorted(_ROW_FIELDS)}, got {content!r}')
    columns, against = list(content['cells']), content.get('against', [])
    if not isinstance(against, list) or not all(name in columns for name in against):
        raise ValueError(
            f'against of {row} in {path} must list columns of the row, some of {columns}, got '
            f'{against!r}'
        )
    oracle = content.get('oracle')
    if oracle is not None and (oracle not in columns or oracle in against[:1] or not against):
        raise ValueError(
            f'oracle of {row} in {path} must be a column of the row, one of {columns}, beside '
            f'`against`, whose first column is another one; got {oracle!r}'
        )
    metrics = content.get('metrics', list(ACCURACIES))
    if not isinstance(metrics, list) or not metrics or not all(map(_is_name, metrics)):
        raise ValueError(
            f'metrics of {row} in {path} must list names such as {TOP1!r}, got {metrics!r}'
        )
    evaluate = content.get('evaluate', {})
    _check_evaluate(row, evaluate, metrics, path)
    is_printed = any(_holds(settings, 'printed') for settings in content['cells'].values())
    if 'metrics' in content and (against or is_printed):
        raise ValueError(
            f'{row} in {path} has metrics of its own, {metrics!r}, so its cells can neither be '
            'compared by `against` nor have `printed` accuracies'
        )
    seeds = content.get('seeds', [])
    if not isinstance(seeds, list) or not all(type(seed) is int and seed >= 0 for seed in seeds):
        raise ValueError(f'seeds of {row} in {path} must list numbers >= 0, got {seeds!r}')
    cells = {
        f'{row}/{column}': _cell(f'{row}/{column}', settings, content, path)
        for column, settings in content['cells'].items()
    }
    if against and len({cell.checkpoint for cell in cells.values()}) > 1:
        raise ValueError(f'{row} in {path} compares its cells, so they must share a checkpoint')
    return cells


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _holds(settings: Any, name: str) -> bool:
    return isinstance(settings, Mapping) and settings.get(name) is not None


def _cell(cell: str, settings: Any, row: Mapping, path: str | os.PathLike) -> Cell:
    if not isinstance(settings, Mapping) or not set(settings) <= _CELL_FIELDS:
        raise ValueError(
            f'{cell} in {path} must hold some of {sorted(_CELL_FIELDS)}, got {settings!r}'
        )
    settings = _inherit(settings, row)
    if bool(settings.get('config')) == bool(settings.get('quoted')):
        raise ValueError(f'{cell} in {path} needs either a config or, in `quoted`, a reason')
    checkpoint = settings.get('checkpoint', 'last')
    if checkpoint not in get_args(Checkpoint):
        raise ValueError(
            f'checkpoint of {cell} in {path} must be one of {get_args(Checkpoint)}, got '
            f'{checkpoint!r}'
        )
    evaluate = dict(row.get('evaluate', {}))
    metrics = tuple(_with_settings(name, evaluate) for name in row.get('metrics', ACCURACIES))
    if checkpoint != 'last' and any(map(suite_of, metrics)):
        raise ValueError(
            f'checkpoint of {cell} in {path} must be last, since {LAST_FILE} is what is evaluated '
            f'for {metrics}, got {checkpoint!r}'
        )
    if checkpoint == 'best' and not set(metrics) <= set(ACCURACIES):
        raise ValueError(
            f'checkpoint of {cell} in {path} cannot be best: it is not defined whether more is '
            f'better for {metrics}; take last or median'
        )
    for name in ('options', 'variants'):
        if not isinstance(settings.get(name, {}), Mapping):
            raise ValueError(f'{name} of {cell} in {path} is no Mapping: {settings!r}')
    options = _with_stages(cell, settings, path)
    printed = settings.get('printed')
    if not isinstance(printed, list):
        printed = [] if printed is None else [printed]
    if not all(isinstance(figure, (int, float)) for figure in printed):
        raise ValueError(f'printed of {cell} in {path} must be numbers, got {printed!r}')
    return Cell(
        cell,
        tuple(float(figure) for figure in printed),
        settings.get('config', ''),
        settings.get('quoted', ''),
        options,
        {name: str(value) for name, value in settings.get('variants', {}).items()},
        checkpoint,
        metrics,
        tuple(map(str, row.get('against', ()))),
        tuple(row.get('seeds', ())),
        evaluate,
        str(row.get('oracle', '')),
    )


def _with_stages(cell: str, settings: Mapping, path: str | os.PathLike) -> dict[str, Any]:
    """Return the options of a cell, with what its `stages` stand for."""
    options = dict(settings.get('options', {}))
    stages = settings.get('stages', 'shared')
    if stages not in ('shared', 'per_seed'):
        raise ValueError(f'stages of {cell} in {path} must be shared or per_seed, got {stages!r}')
    if STAGE_SEEDS in options:
        raise ValueError(
            f'options of {cell} in {path} have {STAGE_SEEDS}={options[STAGE_SEEDS]!r}; write '
            'stages: per_seed'
        )
    return options | ({STAGE_SEEDS: OF_RUN} if stages == 'per_seed' else {})


def _with_settings(metric: str, evaluate: Mapping[str, Any]) -> str:
    """Return a metric's name, from which records of other settings differ."""
    if not evaluate or not suite_of(metric):
        return metric
    listed = ', '.join(f'{name}={value}' for name, value in sorted(evaluate.items()))
    return f'{metric} ({listed})'


def _check_evaluate(
    row: str, evaluate: Any, metrics: Sequence[str], path: str | os.PathLike
) -> None:
    if not isinstance(evaluate, Mapping) or not set(evaluate) <= set(DEFAULTS):
        raise ValueError(
            f'evaluate of {row} in {path} must hold some of {sorted(DEFAULTS)}, got {evaluate!r}'
        )
    if evaluate and not any(map(suite_of, metrics)):
        raise ValueError(
            f'evaluate of {row} in {path} needs metrics of an evaluation, such as '
            f'calibration/ece, got {list(metrics)}'
        )


def _inherit(settings: Mapping, row: Mapping) -> dict[str, Any]:
    """Return a cell's settings with those of its row."""
    found = {name: row[name] for name in _SHARED_FIELDS if name in row}
    if settings.get('quoted'):
        found.pop('config', None)
    found |= settings
    for name in ('options', 'variants'):
        parts = [each[name] for each in (row, settings) if name in each]
        if all(isinstance(part, Mapping) for part in parts) and parts:
            found[name] = {key: value for part in parts for key, value in part.items()}
    return found
