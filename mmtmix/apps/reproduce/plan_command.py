"""Forecast a grid: GPU hours, longest chain, and makespans on many GPUs."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from statistics import median
from typing import Any

from mmtmix.checks import check_integer, check_number
from mmtmix.utils import atomic_path, check_output_file, resolve_config

from .costs import Costs, read_costs
from .experiments import Cell
from .forecast import compare, forecast, large_sets, what_if
from .forecast_page import fill_scale_page, forecast_text
from .graph import JobGraph, job_graph
from .runs import Experiment, State, runs_of

WORKERS = tuple(2**number for number in range(9))
DEVICES = ('h200', 'h200_bf16', 'cpu')  # of configs/costs.yaml


def check_plan(args: argparse.Namespace) -> None:
    """Refuse faulty arguments before any work.

    Args:
        args: Arguments of the subcommand ``plan``.

    Raises:
        FileNotFoundError: If the file of costs or the page does not exist.
        OSError: If a file cannot be written.
        ValueError: If a number is out of its range, or the device is unknown.
    """
    for number in args.workers or ():
        check_integer('--workers', number, args.gpus)
    if args.seeds is not None:
        check_integer('--seeds', args.seeds, 1)
    check_number('--wide-hours', args.wide_hours, 0)
    costs = read_costs(resolve_config('configs/costs.yaml'), args.device, args.costs)
    if args.recorded and costs.name is None:
        raise ValueError(
            f'--recorded needs the name of {args.device} in the records of runs; give it in the '
            f'file of costs, such as devices: {{{args.device}: {{name: NVIDIA H100}}}}'
        )
    if args.page is not None and not args.page.is_file():
        raise FileNotFoundError(f'--page {str(args.page)!r} does not exist')
    for name in ('out', 'page'):
        if getattr(args, name) is not None:
            check_output_file(f'--{name}', getattr(args, name))


def plan(cells: list[Cell], args: argparse.Namespace) -> None:
    """Print a forecast; with ``--out`` and ``--page`` write it.

    Args:
        cells: Cells of an experiments file.
        args: Arguments of the subcommand ``plan``.

    Raises:
        ValueError: If a config cannot be read, or a cost is missing.
    """
    record = describe_plan(cells, args)
    print(forecast_text(record))
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(args.out) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + '\n', encoding='utf-8')
    if args.page is not None:
        text = fill_scale_page(args.page.read_text(encoding='utf-8'), record)
        with atomic_path(args.page) as temporary:
            temporary.write_text(text, encoding='utf-8')


def describe_plan(cells: list[Cell], args: argparse.Namespace) -> dict[str, Any]:
    """Return the forecast of cells, as plain JSON.

    Args:
        cells: Cells of an experiments file.
        args: Arguments of the subcommand ``plan``.
    """
    tables: dict[str, str] = {}
    runs = []
    for cell in cells:
        for run in () if cell.quoted else runs_of(cell, args.seeds, args.root, args.gpus):
            tables.setdefault(str(run.folder), cell.table)  # of the first cell that has it
            runs.append(run)
    graph = job_graph(runs)
    path = resolve_config('configs/costs.yaml')
    devices = dict.fromkeys((*DEVICES, args.device))
    costs = {device: read_costs(path, device, args.costs) for device in devices}
    own = costs[args.device]
    seconds = recorded_seconds(graph, own, args.gpus) if args.recorded else {}
    workers = args.workers or [number for number in WORKERS if number >= args.gpus]
    result = forecast(graph, own, workers, tables, args.gpus, args.wide_hours, seconds)
    record = dict(
        forecast=result,
        what_if=what_if(graph, costs, args.device, tables),
        sets=large_sets(graph, own),
        checks=[row for each in costs.values() for row in compare(each)],
        figures={name: list(figure) for name, figure in own.figures.items()},
        loaders=dict(own.loaders),
    )
    return _rounded(record)


def recorded_seconds(graph: JobGraph, costs: Costs, gpus: int = 1) -> dict[str, float]:
    """Return the seconds of runs by key: the median of an experiment's finished runs, if any.

    Runs on another device or in another precision are left out.

    Args:
        graph: Jobs of a grid.
        costs: Costs of the device.
        gpus: Number of processes per run, >= 1.

    Raises:
        ValueError: If the record of a run is damaged.
    """
    device = costs.name if gpus == 1 else f'{gpus} x {costs.name}'
    found: dict[Experiment, list[float]] = defaultdict(list)
    runs = {key: job.run for key, job in graph.items() if job.run is not None}
    for key, run in runs.items():
        record = run.record
        if 'seconds' not in record or graph[key].state is not State.DONE:
            continue
        attempts = [*(record.get('earlier') or ()), record]
        used = {(each.get('device'), each.get('precision')) for each in attempts}
        if used == {(device, costs.precision)}:
            found[run.experiment].append(float(record['seconds']))
    return {
        key: median(found[run.experiment]) for key, run in runs.items() if run.experiment in found
    }


def _rounded(content: Any) -> Any:
    """Return plain JSON with numbers of six digits, so that a file changes where results do."""
    if isinstance(content, dict):
        return {key: _rounded(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_rounded(value) for value in content]
    return float(f'{content:.6g}') if isinstance(content, float) else content
