"""The work of a job, counted from its config: steps, passes of networks, images to load."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mmtmix.datasets.sources import DATA_SETS
from mmtmix.engine.distillation.presets import PRESETS
from mmtmix.utils import load_config

from .graph import Job

MIXED, ENCODE = 'MixedImages', 'encode'
STEP, FORWARD, BOTH = 3.0, 1.0, 2.24
"""Passes in units of a forward pass: of a training step, by the common count of operations; of a
forward pass; and of both passes without gradients of weights, as docs/costs.md measures them."""

_DATA_SETS = dict(
    CIFAR10='cifar10',
    CIFAR100='cifar100',
    TinyImageNet='tiny_imagenet',
    ImageNet='imagenet',
    ImageNet32='imagenet32',
    Flowers102='flowers102',
    OxfordIIITPet='pets',
    StanfordCars='cars',
    FGVCAircraft='aircraft',
    FashionMNIST='fashion_mnist',
)
_SIZES = ('crop_size', 'scale')
_LIVE = {'PuzzleMix': BOTH}  # passes of the network in training, for its gradients


class Network(NamedTuple):
    """What one forward pass of a network costs.

    Attributes:
        flops: Operations per image, >= 0; a multiplication and an addition are two.
        layers: Number of convolutions and linear layers.
    """

    flops: float
    layers: int


class Data(NamedTuple):
    """Images of a loader.

    Attributes:
        name: Class of the data set.
        images: Number of images per epoch.
        pipeline: Configs of its transforms.
        parts: For each name of a pipeline, the share of the images that have it, and its configs.
    """

    name: str
    images: int
    pipeline: Sequence[Mapping[str, Any]]
    parts: Mapping[str, tuple[float, Sequence[Mapping[str, Any]]]]


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


def data_of(loader: Mapping[str, Any], sets: Mapping[str, int] | None = None) -> Data:
    """Return the images of a loader.

    Args:
        loader: Config of a data loader.
        sets: Number of images by the folder of each generated set.

    Raises:
        ValueError: If the size of a data set isn't known.
    """
    dataset = loader['dataset']
    if 'datasets' in dataset:
        members = [data_of(dict(dataset=each), sets) for each in dataset['datasets']]
        total = sum(member.images for member in members)
        parts: dict[str, tuple[float, Sequence]] = {}
        for member in members:
            for name, (share, pipeline) in member.parts.items():
                before = parts.get(name, (0.0, pipeline))[0]
                parts[name] = before + share * member.images / total, pipeline
        return members[0]._replace(images=total, parts=parts)
    if 'dataset' in dataset:
        inner = data_of(dict(dataset=dataset['dataset']), sets)
        return inner._replace(images=inner.images * dataset.get('times', 1))
    name, pipeline = dataset['type'], dataset.get('pipeline', ())
    is_train = dataset.get('split', 'train') in ('train', 'trainval')
    is_train = is_train and not dataset.get('test_mode', False)
    indices = dataset.get('indices')
    if isinstance(indices, int):
        images = indices
    elif indices is not None:
        images = len(indices)
    elif name == MIXED and sets and dataset['data_root'] in sets:
        images = sets[dataset['data_root']]
    elif name in _DATA_SETS:
        images = DATA_SETS[_DATA_SETS[name]].images[0 if is_train else 1]
    else:
        raise ValueError(f'the number of images of the data set {name} is not known')
    read = f'{MIXED} ' if name == MIXED else ''  # which decodes large images itself
    return Data(name, images, pipeline, {read + pipeline_name(pipeline): (1.0, pipeline)})


def pipeline_name(pipeline: Sequence[Mapping[str, Any]]) -> str:
    """Return a name of the transforms that take time, with the sizes that they give.

    Args:
        pipeline: Configs of transforms.
    """
    words = []
    for step in pipeline:
        size = next((step[key] for key in _SIZES if key in step), '')
        if step['type'] not in ('RandomFlip', 'PackInputs'):
            words.append(f'{step["type"]}{size}')
    return ' '.join(words) or 'none'


def image_size(pipeline: Sequence[Mapping[str, Any]], default: int = 32) -> int:
    """Return the side of the images that transforms give, in pixels.

    Args:
        pipeline: Configs of transforms.
        default: Side without a transform that sets it.
    """
    for step in reversed(pipeline):
        for key in _SIZES:
            if key in step and isinstance(step[key], int):
                return step[key]
    return default


def count_network(model: Mapping[str, Any], size: int) -> Network:
    """Return what one forward pass of a classifier costs.

    Args:
        model: Config of the classifier.
        size: Side of an image in pixels, >= 1.
    """
    parts = {name: model[name] for name in ('backbone', 'neck', 'head') if model.get(name)}
    return _count(json.dumps(parts, default=str, sort_keys=True), size)


def teacher_network(settings: Mapping[str, Any], size: int) -> Network:
    """Return what one forward pass of a teacher costs.

    Args:
        settings: Config with a ``teacher``, which names a config.
        size: Side of an image in pixels, >= 1.
    """
    config = settings['teacher']['config']
    return count_network(_model_of(config) if isinstance(config, str) else config['model'], size)


@cache
def _model_of(config: str) -> Mapping[str, Any]:
    return load_config(config).model


@cache
def _count(parts: str, size: int) -> Network:
    """Count on the meta device, on which nothing is computed."""
    settings = json.loads(parts)
    channels = settings['backbone'].get('in_channels', 3)
    for part in settings.values():
        part.pop('init_cfg', None)
    with DefaultScope.overwrite_default_scope('mmpretrain'), torch.random.fork_rng(devices=[]):
        model = MODELS.build(dict(settings, type='ImageClassifier')).eval().to('meta')
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        model(torch.empty(1, channels, size, size, device='meta'), mode='tensor')
    kinds = (nn.Conv2d, nn.Linear)
    return Network(
        float(counter.get_total_flops()), sum(isinstance(m, kinds) for m in model.modules())
    )


def _student_calls(kind: str, network: Network) -> list[Call]:
    """Return the passes of a step of a classifier on its own."""
    if kind == 'AugMixClassifier':  # three views of each image
        return [Call('network', network, 3 * STEP, 1.0)]
    if kind == 'AutoMixClassifier':  # clean and mixed; a copy reads both for the mix block
        calls = [Call('network', network, 2 * STEP, 2.0)]
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
