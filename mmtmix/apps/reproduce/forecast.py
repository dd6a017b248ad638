"""The forecast of a grid: GPU hours, the longest chain, and makespans by number of workers."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .costs import WAITING, Costs, Figure, job_seconds
from .graph import JobGraph
from .networks import count_network
from .scheduler import chain_seconds
from .simulation import critical_path, lower_bound, simulate
from .work import Call, Phase, phases_of, sets_of

HOUR = 3600.0
REQUIRED, RECORDED = 'required stages', 'recorded runs'
SHARD = 2000  # images of a shard, by default


def forecast(
    graph: JobGraph,
    costs: Costs,
    workers: Sequence[int],
    tables: Mapping[str, str],
    gpus: int = 1,
    wide_hours: float = 24.0,
    recorded: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return the forecast of a grid, as plain JSON. All times are hours.

    Args:
        graph: Jobs of the grid.
        costs: Costs of the device.
        workers: Numbers of GPUs to simulate, each >= ``gpus``.
        tables: Name of the table of each run, by the key of its job.
        gpus: Number of GPUs that share a long job, >= 1.
        wide_hours: Time from which a job is long, in hours on one GPU.
        recorded: Seconds of jobs that were measured on ``gpus`` GPUs, by key. They replace
            estimates; those of jobs that use one GPU here are left out if ``gpus`` is more.

    Raises:
        ValueError: If a cost is missing, or a number is out of its range.
    """
    parts = job_seconds(graph.values(), costs)
    widths: dict[str, int] = {}
    if gpus > 1:
        long = (key for key in parts if sum(parts[key].values()) >= wide_hours * HOUR)
        widths = dict.fromkeys(long, gpus)
        parts = job_seconds(graph.values(), costs, widths)
    for key, each in (recorded or {}).items():
        if widths.get(key, 1) == gpus:
            parts[key] = {RECORDED: each}
    seconds = {key: sum(found.values()) for key, found in parts.items()}
    requires = graph.requires()
    work = {key: each * widths.get(key, 1) for key, each in seconds.items()}
    by_table: defaultdict[str, float] = defaultdict(float)
    by_method: defaultdict[str, float] = defaultdict(float)
    by_part: defaultdict[str, float] = defaultdict(float)
    for key, job in graph.items():
        by_table[REQUIRED if job.run is None else tables[key]] += work[key] / HOUR
        by_method[Path(job.stage.config).parent.name] += work[key] / HOUR
        for part, each in parts[key].items():
            by_part[part] += each * widths.get(key, 1) / HOUR
    path = critical_path(requires, seconds)
    return dict(
        device=costs.device,
        about=costs.about,
        gpus=gpus,
        jobs=len(graph),
        runs=sum(job.run is not None for job in graph.values()),
        experiments=len({job.run.experiment for job in graph.values() if job.run is not None}),
        hours=sum(work.values()) / HOUR,
        tables=_largest_first(by_table),
        methods=_largest_first(by_method),
        parts=_largest_first(by_part),
        path=[[key, seconds[key] / HOUR] for key in path],
        longest=max(chain_seconds(requires, seconds).values(), default=0.0) / HOUR,
        courses=[_course(requires, seconds, number, widths) for number in workers],
    )


def _largest_first(hours: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(hours.items(), key=lambda item: -item[1]))


def _course(
    requires: Mapping[str, Sequence[str]],
    seconds: Mapping[str, float],
    workers: int,
    widths: Mapping[str, int],
) -> dict[str, float]:
    """Return the simulated makespan by the scheduler's order and by two others.

    In ``fifo`` jobs start in the order of the experiments. In ``misjudged`` the scheduler orders
    by times that are wrong by a random factor between a half and two.
    """
    draw = random.Random(0)
    wrong = {key: each * 2 ** draw.uniform(-1, 1) for key, each in seconds.items()}
    bound = lower_bound(requires, seconds, workers, widths)
    course = simulate(requires, seconds, workers, widths=widths)
    fifo = simulate(requires, seconds, workers, dict.fromkeys(requires, 0.0), widths)
    misjudged = simulate(requires, seconds, workers, wrong, widths)
    return dict(
        workers=workers,
        bound=bound / HOUR,
        makespan=course.makespan / HOUR,
        ratio=course.makespan / bound if bound else 1.0,
        utilisation=course.utilisation,
        fifo=fifo.makespan / HOUR,
        misjudged=misjudged.makespan / HOUR,
    )


def what_if(
    graph: JobGraph,
    costs: Mapping[str, Costs],
    device: str,
    tables: Mapping[str, str],
    workers: int = 64,
) -> list[dict[str, Any]]:
    """Return short forecasts under other assumptions.

    Args:
        graph: Jobs of the grid.
        costs: Costs of each device by its name.
        device: Device of those that change one figure.
        tables: Name of the table of each run, by the key of its job.
        workers: Number of GPUs, >= 8.
    """
    own = costs[device]
    cases: list[tuple[str, Costs, int]] = [
        (each.about, each, 1) for each in costs.values() if each.device != 'cpu'
    ]
    cases += [
        (f'{number} GPUs for each job of over 24 hours', own, number) for number in (2, 4, 8)
    ]
    rate = own['rate_large']
    for factor, name in ((0.5, 'half'), (2.0, 'twice')):
        changed = _with(own, rate_large=rate * factor)
        cases.append((f'{name} the speed at 224 pixels', changed, 1))
    cases.append(('16 processes per loader', _with(own, processes=16), 1))
    found = []
    for name, each, gpus in cases:
        result = forecast(graph, each, [workers], tables, gpus)
        course = result['courses'][0]
        found.append(
            dict(
                case=name,
                hours=result['hours'],
                longest=result['longest'],
                waiting=result['parts'].get(WAITING, 0.0),
                **course,
            )
        )
    return found


def _with(costs: Costs, **figures: float) -> Costs:
    """Return costs with other values of figures."""
    changed = {name: Figure(value, 'assumed', 'what if') for name, value in figures.items()}
    return replace(costs, figures={**costs.figures, **changed})


def large_sets(
    graph: JobGraph, costs: Costs, numbers: Sequence[int] = (1, 8, 64), least: int = 1_000_000
) -> list[dict[str, Any]]:
    """Return the arithmetic of the largest generated sets, as plain JSON. Times are hours.

    The slowest of reading, mixing, encoding and writing counts, since they overlap. A process
    makes whole shards, so the last round may leave some without work.

    Args:
        graph: Jobs of a grid.
        costs: Costs of the device.
        numbers: Numbers of GPUs, each >= 1.
        least: Number of images from which a set is included.
    """
    sets = sets_of(graph.values())
    found = []
    for job in graph.values():
        if sets.get(job.folder, 0) < least or 'generation' not in job.stage.cfg:
            continue
        (phase,) = phases_of(job, sets)
        for gpus in numbers:
            found.append(dict(set=job.folder, images=sets[job.folder], **_set(phase, costs, gpus)))
    return found


def _set(phase: Phase, costs: Costs, gpus: int) -> dict[str, Any]:
    kind = 'large' if phase.size > 64 else 'small'
    alone = costs.seconds(phase._replace(loaders=()))
    reading = costs.seconds(phase._replace(loaders=phase.loaders[:1], mixer=''))
    encoding = costs.seconds(phase._replace(loaders=phase.loaders[1:], mixer=''))
    images = phase.steps * phase.batch
    size = images * costs[f'bytes_{kind}']
    times = dict(
        reading=sum(reading.values()) / gpus / HOUR,
        mixing=sum(alone.values()) / gpus / HOUR,
        encoding=sum(encoding.values()) * costs.kept(phase) / gpus / HOUR,
        writing=size / costs['write_rate'] / HOUR,
    )
    shards = math.ceil(images / SHARD)
    rounds = math.ceil(shards / gpus)
    slowest = max(times, key=lambda name: times[name])
    whole = rounds * gpus / shards if slowest != 'writing' else 1.0
    return dict(
        gpus=gpus,
        **times,
        gigabytes=size / 1e9,
        shards=shards,
        rounds=rounds,
        hours=times[slowest] * whole,
        slowest=slowest,
    )


def compare(costs: Costs) -> list[dict[str, Any]]:
    """Return measured steps and what the costs predict for them, in seconds.

    Args:
        costs: Costs of a device, with its checks.
    """
    found = []
    for check in costs.checks:
        model = dict(
            backbone=dict(check['backbone']),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=100, in_channels=check['channels']),
        )
        network = count_network(model, check['size'])
        passes, launches = check['passes']
        mixer = check['mixer']
        calls = (Call('network', network, passes, launches),)
        phase = Phase('training', 1, check['batch'], check['size'], calls, (), mixer)
        if mixer == 'TransformMix':
            phase = phase._replace(teacher=network)
        predicted = sum(costs.seconds(phase).values())
        found.append(
            dict(
                name=check['name'],
                device=costs.device,
                measured=float(check['measured']),
                predicted=predicted,
                source=check['source'],
            )
        )
    return found
