"""The time of a job on a device, from its work and a table of costs."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from mmtmix.checks import check_choice, check_integer, check_number

from .graph import Job
from .networks import Network
from .work import ENCODE, Loader, Phase, phases_of, sets_of

BASES = ('measured', 'derived', 'assumed')
LARGE = 64  # largest side in pixels of an image that counts as small
WAITING = 'waiting for images'
PRECISIONS = ('float32', 'float16', 'bfloat16')

_OWN: dict[str, Any] = dict(checks=(), name=None, precision='float32')
"""What a device does not take from the one that it is like."""


class Figure(NamedTuple):
    """One figure of a table of costs.

    Attributes:
        value: Value in the unit of its name, >= 0.
        basis: ``'measured'``, ``'derived'`` from measured figures, or ``'assumed'``.
        source: File and formula, or the reason of an assumption.
    """

    value: float
    basis: str
    source: str


@dataclass(frozen=True)
class Costs:
    """Costs of one device.

    Attributes:
        device: Name of the device.
        about: Description of the device.
        figures: Figures by name.
        mixers: Time of an augment beyond the passes of networks, by ``'NAME small'`` or ``'NAME
            large'``: seconds per batch, and seconds per image.
        loaders: Time of one process in seconds per image, by the name of what it does.
        checks: Measured steps that the figures were not computed from.
        name: Name of the device in records of runs, such as ``'NVIDIA H200'``; None if unknown.
        precision: Dtype of forward passes in training on it.
    """

    device: str
    about: str
    figures: Mapping[str, Figure]
    mixers: Mapping[str, tuple[float, float]]
    loaders: Mapping[str, float]
    checks: tuple[Mapping[str, Any], ...] = ()
    name: str | None = None
    precision: str = 'float32'

    def __getitem__(self, name: str) -> float:
        return self.figures[name].value

    def seconds(self, phase: Phase, gpus: int = 1) -> dict[str, float]:
        """Return the seconds of a phase by their part, such as ``'teacher'``.

        A step takes as long as the slower of the network and of the loaders. The difference is in
        the part ``'waiting for images'``.

        Args:
            phase: Phase of a job.
            gpus: Number of GPUs that share the batch, >= 1.

        Raises:
            ValueError: If the time of a pipeline isn't known.
        """
        check_integer('gpus', gpus, 1)
        batch = phase.batch / gpus
        parts: defaultdict[str, float] = defaultdict(float)
        for call in phase.calls:
            parts[call.part] += self._passes(
                call.network, call.passes, call.launches, batch, phase
            )
        if phase.mixer:
            for part, seconds in self._mixing(phase, batch).items():
                parts[part] += seconds
        if gpus > 1:
            for part in parts:
                parts[part] /= self['efficiency']
        loading = max((self._loading(each) for each in phase.loaders), default=0.0) / gpus
        parts[WAITING] = max(loading - sum(parts.values()), 0.0)
        steps = phase.steps
        if phase.name == 'generation':
            steps /= self.kept(phase)
        return {part: seconds * steps for part, seconds in parts.items() if seconds}

    def _passes(
        self, network: Network, passes: float, launches: float, batch: float, phase: Phase
    ) -> float:
        """Return the time of passes: computing, or starting the layers if that is slower."""
        rate = self['rate_large' if phase.size > LARGE else 'rate_small']
        computing = passes * network.flops * batch / rate
        return max(computing, launches * network.layers * self['layer_seconds'])

    def _mixing(self, phase: Phase, batch: float) -> dict[str, float]:
        """Return the time of an augment, with that of its teacher apart."""
        size = 'large' if phase.size > LARGE else 'small'
        name = phase.mixer.removeprefix('Sample')
        if name != 'SuperMix' and f'{name} {size}' not in self.mixers:
            raise ValueError(
                f'the time of {name} for {size} images on {self.device} is not known; give it in '
                'a file for --costs, under mixers of the device, or what it is like'
            )
        fixed, per_image = self.mixers.get(f'{name} {size}', (0.0, 0.0))
        parts = {'mixing': fixed + per_image * batch}
        if phase.teacher is not None and name == 'SuperMix':
            passes, steps = self[self._solver(phase)], self[f'{self._solver(phase)}_steps']
            seconds = self._passes(phase.teacher, passes, steps, batch, phase)
            parts['mixing'] += seconds  # all passes of the solver are through the teacher
        elif phase.teacher is not None:
            parts['teacher'] = self._passes(phase.teacher, 1.0, 0.5, batch, phase)
        return parts

    def _solver(self, phase: Phase) -> str:
        kind = 'paper' if phase.settings.get('start') == 'flat' else 'default'
        return f'supermix_{kind}_k{phase.settings.get("num_mix", 2)}'

    def kept(self, phase: Phase) -> float:
        """Return the share of the mixes of a generation that are kept, in (0, 1].

        Args:
            phase: Phase of a job.
        """
        name = f'{self._solver(phase)}_kept'
        return self[name] if 'SuperMix' in phase.settings.get('type', '') else 1.0

    def _loading(self, loader: Loader) -> float:
        """Return the time of the processes for one step."""
        seconds = 0.0
        for name, images in loader.images.items():
            if name not in self.loaders:
                raise ValueError(
                    f'the time to load an image by {name!r} is not known; give it in a file for '
                    '--costs, under loaders, in seconds per image'
                )
            seconds += images * self.loaders[name]
        is_encoder = any(name.startswith(ENCODE) for name in loader.images)
        processes = 0 if is_encoder else self['processes']
        return seconds / (processes or loader.processes)


def read_costs(
    path: str | os.PathLike, device: str, more: str | os.PathLike | None = None
) -> Costs:
    """Read a table of costs.

    Args:
        path: YAML file with ``figures``, ``devices``, ``mixers`` of each device and ``loaders``.
        device: Name of a device in it.
        more: File of the same form, whose entries replace those of the first. A figure may be a
            plain number there.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file or a figure is malformed, or the device is not in them.
    """
    tables = [_read(each) for each in (path, more) if each is not None]
    devices: dict[str, dict] = {}
    for table in tables:
        for name, content in (table.get('devices') or {}).items():
            known = devices.setdefault(name, dict(about=name, figures={}, mixers={}, **_OWN))
            if content.get('like') is not None:
                check_choice(f'like of {name}', content['like'], tuple(devices))
                for part in ('figures', 'mixers'):
                    known[part] |= devices[content['like']][part]
            for part in ('about', 'checks', 'name', 'precision'):
                known[part] = content.get(part, known[part])
            for part in ('figures', 'mixers'):
                known[part] |= content.get(part) or {}
    check_choice('device', device, tuple(devices))
    figures: dict[str, Any] = {}
    loaders: dict[str, float] = {}
    for table in tables:
        figures |= table.get('figures') or {}
        loaders |= table.get('loaders') or {}
    chosen = devices[device]
    figures |= chosen['figures']
    for name, seconds in loaders.items():
        check_number(f'loaders: {name}', seconds, 0)
    mixers = {name: (float(pair[0]), float(pair[1])) for name, pair in chosen['mixers'].items()}
    read = {name: _figure(name, given) for name, given in figures.items()}
    check_choice(f'precision of {device}', chosen['precision'], PRECISIONS)
    own = (chosen['about'], read, mixers, loaders, tuple(chosen['checks']))
    return Costs(device, *own, chosen['name'], chosen['precision'])


def job_seconds(
    jobs: Iterable[Job], costs: Costs, gpus: Mapping[str, int] | None = None
) -> dict[str, dict[str, float]]:
    """Return the seconds of each job by part, with those of validations in one part.

    Args:
        jobs: Jobs of a graph.
        costs: Costs of the device.
        gpus: Number of GPUs of the jobs that use more than one, by key.

    Raises:
        ValueError: If a data set or a pipeline isn't known.
    """
    jobs = list(jobs)
    sets = sets_of(jobs)
    known: dict[Any, list[Phase]] = {}  # seeds share it
    found: dict[str, dict[str, float]] = {}
    for job in jobs:
        experiment = job.run.experiment if job.run is not None else job.key
        if experiment not in known:
            known[experiment] = phases_of(job, sets)
        parts = defaultdict(float, starting=costs['start_seconds'])
        for phase in known[experiment]:
            for part, seconds in costs.seconds(phase, (gpus or {}).get(job.key, 1)).items():
                parts['validation' if phase.name == 'validation' else part] += seconds
        found[job.key] = dict(parts)
    return found


def _figure(name: str, given: Any) -> Figure:
    if isinstance(given, Sequence) and not isinstance(given, str) and len(given) == 3:
        value, basis, source = given
    else:
        value, basis, source = given, 'assumed', 'given by --costs'
    check_number(f'figures: {name}', value, 0)
    check_choice(f'basis of {name}', basis, BASES)
    return Figure(float(value), basis, str(source))


def _read(path: str | os.PathLike) -> Mapping[str, Any]:
    if not Path(path).is_file():
        raise FileNotFoundError(f'the file of costs {str(path)!r} does not exist')
    try:
        table = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except yaml.YAMLError as error:
        raise ValueError(f'{path} is no valid YAML: {" ".join(str(error).split())}') from error
    if not isinstance(table, Mapping):
        raise ValueError(f'{path} must hold a mapping with figures and devices, got {table!r}')
    unknown = set(table) - {'figures', 'devices', 'loaders'}
    if unknown:
        raise ValueError(f'{path} has unknown entries {sorted(unknown)}')
    return table
