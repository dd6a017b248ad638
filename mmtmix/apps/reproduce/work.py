"""The work of a job, counted from its config: steps, passes of networks, images to load."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mmengine.config import Config

from mmtmix.engine.distillation.presets import PRESETS

from .graph import Job
from .loaded_images import Data, data_of, image_size
from .networks import Network, count_network, teacher_network

ENCODE = 'encode'
STEP, FORWARD, BOTH = 3.0, 1.0, 2.24
"""Passes in units of a forward pass: of a training step, by the common count of operations; of a
forward pass; and of both passes without gradients of weights, as docs/costs.md measures them."""

_LIVE = {'PuzzleMix': BOTH}  # passes of the network in training, for its gradients


class Call(NamedTuple):
    """Passes of a network in one step.

    Attributes:
        part: Part of the time to which it belongs, such as ``'teacher'``.
        network: Network.
        passes: Operations in units of one forward pass of the batch.
        launches: Time of starting its layers in units of one training step.
    """

    part: str
    network: Network
    passes: float
    launches: float


class Loader(NamedTuple):
    """Images that processes prepare for one step, while the network computes.

    Attributes:
        images: Number of images per step, by the name of what is done with each.
        processes: Number of processes.
    """

    images: Mapping[str, float]
    processes: int


class Phase(NamedTuple):
    """Equal steps of a job.

    Attributes:
        name: ``'training'``, ``'search'``, ``'generation'`` or ``'validation'``.
        steps: Number of steps.
        batch: Number of images per step.
        size: Side of an image in pixels.
        calls: Passes of networks; those of SuperMix are in ``mixer``.
        loaders: Loaders of the images, which work at the same time.
        mixer: Name of the augment, whose own time the costs have; empty for none.
        settings: Settings of the augment.
        teacher: Network that the augment uses; None for none.
    """

    name: str
    steps: float
    batch: int
    size: int
    calls: tuple[Call, ...]
    loaders: tuple[Loader, ...]
    mixer: str = ''
    settings: Mapping[str, Any] = {}
    teacher: Network | None = None


def phases_of(job: Job, sets: Mapping[str, int] | None = None) -> list[Phase]:
    """Return the phases of a job.

    Args:
        job: Job of a graph.
        sets: Number of images by the folder of each generated set.

    Raises:
        ValueError: If the size of a data set isn't known.
    """
    cfg, sets = job.stage.cfg, sets or {}
    if 'generation' in cfg:
        return [_generation(cfg)]
    loader = cfg.train_dataloader
    data = data_of(loader, sets)
    epochs = cfg.train_cfg.get('max_epochs') or 0
    batch, size = loader['batch_size'], image_size(data.pipeline)
    per_epoch = data.images // batch if loader.get('drop_last') else math.ceil(data.images / batch)
    steps = epochs * per_epoch or cfg.train_cfg.get('max_iters', 0)
    is_search = cfg.model['type'] == 'MixerSearch'
    network = teacher_network(cfg.model, size) if is_search else count_network(cfg.model, size)
    loads = [_loader(loader, data)]
    augment = _augment_of(cfg)
    if is_search:  # a pass for the maps, and both for the mixes
        calls = [Call('teacher', network, FORWARD + BOTH, 1.5)]
        augment = dict(type='MixerSearch')
    else:
        calls = _student_calls(cfg.model['type'], network)
        calls, augment = _with_distillation(cfg, calls, augment, loads, size, sets)
    if augment.get('type') in _LIVE:
        calls.append(Call('mixing', network, _LIVE[augment['type']], 1.0))
    teacher = teacher_network(augment, size) if 'teacher' in augment else None
    first = Phase(
        'search' if is_search else 'training', steps, batch, size, tuple(calls), tuple(loads)
    )
    first = first._replace(mixer=augment.get('type', ''), settings=augment, teacher=teacher)
    return [first, *_validation(cfg, epochs, network, size, is_search)]


def sets_of(jobs: Iterable[Job]) -> dict[str, int]:
    """Return the number of images by the folder of each set that jobs generate.

    Args:
        jobs: Jobs of a graph.
    """
    made = (job for job in jobs if 'generation' in job.stage.cfg)
    return {job.folder: job.stage.cfg.generation['num'] for job in made}


def loaders_of(cfg: Config) -> list[Mapping[str, Any]]:
    """Return the configs of the loaders for training, validation and mixed images, if any.

    Args:
        cfg: Config of a job.
    """
    found = [cfg.train_dataloader, cfg.val_dataloader]
    mixed = (_distillation(cfg).get('mixed') or {}).get('dataloader')
    return [*found, *([dict(cfg.train_dataloader, **mixed)] if mixed else [])]


def _student_calls(kind: str, network: Network) -> list[Call]:
    """Return the passes of a step of a classifier on its own."""
    if kind == 'AugMixClassifier':  # three views of each image
        return [Call('network', network, 3 * STEP, 1.0)]
    if kind == 'AutoMixClassifier':  # clean and mixed; a copy reads both for the mix block
        calls = [Call('network', network, 2 * STEP, 2.0)]
        return [*calls, Call('mixing', network, FORWARD + BOTH, 1.5)]
    if kind == 'AdAutoMixClassifier':  # clean, plain and other mixes; the copy as above
        calls = [Call('network', network, 3 * STEP, 3.0)]
        return [*calls, Call('mixing', network, FORWARD + BOTH, 1.5)]
    return [Call('network', network, STEP, 1.0)]


def _with_distillation(
    cfg: Config,
    calls: list[Call],
    augment: Mapping[str, Any],
    loads: list[Loader],
    size: int,
    sets: Mapping[str, int],
) -> tuple[list[Call], Mapping[str, Any]]:
    """Return calls and augment with those of a distillation, whose loader is added."""
    hook = _distillation(cfg)
    if not hook:
        return calls, augment
    preset, mixed = PRESETS[hook.get('preset', 'kd')], hook.get('mixed') or {}
    passes = bool(preset['losses']) + bool(mixed)  # of the teacher: clean, mixed images
    teacher = teacher_network(hook, size)
    calls = [*calls, Call('teacher', teacher, passes * FORWARD, 0.5 * passes)]
    if mixed:
        calls += calls[:1]  # the student reads clean and mixed images apart
    loads += [_loader(loader, data_of(loader, sets)) for loader in loaders_of(cfg)[2:]]
    return calls, mixed.get('augment') or augment


def _distillation(cfg: Config) -> Mapping[str, Any]:
    """Return the config of a DistillHook; an empty one without it."""
    hooks = cfg.get('custom_hooks') or ()
    return next((hook for hook in hooks if hook['type'] == 'DistillHook'), {})


def _augment_of(cfg: Config) -> Mapping[str, Any]:
    """Return the config of the augment of a batch; an empty one without augment."""
    found = (cfg.model.get('train_cfg') or {}).get('augments') or {}
    return found if isinstance(found, Mapping) else found[0]


def _loader(loader: Mapping[str, Any], data: Data) -> Loader:
    images = {name: share * loader['batch_size'] for name, (share, _) in data.parts.items()}
    return Loader(images, max(loader.get('num_workers', 0), 1))


def _generation(cfg: Config) -> Phase:
    loader = cfg.val_dataloader
    data = data_of(loader)
    augment = _augment_of(cfg)
    size = image_size(data.pipeline, image_size(data_of(cfg.train_dataloader).pipeline))
    batch = cfg.generation.get('batch_size', 128)
    images = {name: share * batch * augment['num_mix'] for name, (share, _) in data.parts.items()}
    loads = [Loader(images, max(cfg.train_dataloader.get('num_workers', 0), 1))]
    loads.append(Loader({f'{ENCODE} {size}': batch}, 8))  # threads of the process
    network = teacher_network(augment, size)
    phase = Phase('generation', cfg.generation['num'] / batch, batch, size, (), tuple(loads))
    return phase._replace(mixer=augment['type'], settings=augment, teacher=network)


def _validation(
    cfg: Config, epochs: int, network: Network, size: int, is_search: bool
) -> list[Phase]:
    loader = cfg.get('val_dataloader')
    if not loader or not epochs:
        return []
    data = data_of(loader)
    batch = loader['batch_size']
    times = epochs // cfg.train_cfg.get('val_interval', 1)
    passes = 2.0 if is_search else FORWARD  # maps, and the mixes that they give
    steps = times * math.ceil(data.images / batch)
    size = image_size(data.pipeline, size)
    calls = (Call('validation', network, passes, 0.5 * passes),)
    return [Phase('validation', steps, batch, size, calls, (_loader(loader, data),))]
