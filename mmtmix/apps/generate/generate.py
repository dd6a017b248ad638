"""Generate a set of mixed images from a config, also by several processes or sessions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from functools import partial
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import DefaultScope

from mmtmix.checks import check_instance, check_keys, check_path
from mmtmix.datasets import build_eval_view, eval_view_config
from mmtmix.models import BatchAugment
from mmtmix.models.augments import augment_config, build_augment, with_input_stats
from mmtmix.models.data_preprocessors.task_preprocessor import count_classes
from mmtmix.models.teachers import (
    build_teacher,
    check_class_names,
    dataset_order,
    preprocessor_config,
)

from .folder import SetFolder
from .mixing import LabelledAugment, check_augment, check_labeller
from .progress import Progress
from .sampling import DrawSampler, ShardDraw, draw_batch
from .settings import GenerationSettings, describe
from .shard_maker import make_shards

_OPTIONS = ('pipeline', 'teacher')


@contextmanager
def _deterministic_cudnn() -> Iterator[None]:
    """Make cuDNN choose the same algorithms each time, and restore the settings afterwards.

    ``torch.backends.cudnn.flags`` would also change settings that are not named.
    """
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before


@_deterministic_cudnn()
def generate(
    cfg: Config,
    out: str | os.PathLike,
    device: str | torch.device | None = None,
    shows_progress: bool = True,
) -> None:
    """Make the missing shards of a set of mixed images (SuperMix, section 4).

    Every shard follows from the settings and its number alone. A set that was interrupted and
    resumed, or made by several processes, therefore equals one that was made at once. This holds
    on the same kind of device with the same number of threads. Others round differently, and some
    mixes then finish a step earlier or later.

    Any number of processes, on any machines that share the folder, may call this at the same time.
    Each claims one shard after another. A process that finds nothing to claim waits for the others
    and takes over the shards of those that die. So every call ends with a complete set or an
    error.

    Args:
        cfg: Config of a classifier with a ``train_dataloader``, an augment of this library among
            its batch augments and ``generation=dict(num=..., ...)``: the fields of
            :class:`GenerationSettings`; ``teacher``, for augments without one; and ``pipeline``
            for the images, by default that of the validation set, which has no random crops.
        out: Path of the set's folder.
        device: Device that mixes; by default the accelerator, if there is one.
        shows_progress: Whether this process logs the progress of the set, to which all processes
            contribute.

    Raises:
        FileNotFoundError: If files of the data set, augment or teacher are missing.
        OSError: If a shard can't be written.
        RuntimeError: If no mix can be kept, or shards have vanished at the end.
        TypeError: If an argument is of another type.
        ValueError: If the config does not fit, or the folder holds another set.
    """
    check_path('out', out)
    check_instance('shows_progress', shows_progress, bool, 'True or False')
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmpretrain'):
        settings, options = read_settings(cfg)
        source = eval_view_config(cfg, 'train', options['pipeline'])[0]
        shown = Config(dict(cfg, train_dataloader=dict(dataset=source)))  # the augments' images
        augment = build_augment(shown)
        check_augment(augment)
        dataset, _ = build_eval_view(cfg, 'train', options['pipeline'])
        channel_order = _channel_order(source, dataset)
        labelled = _labelled(augment, shown, dataset, options['teacher'], device or get_device())
    parts = dict(
        dataset=source,
        preprocessor=preprocessor_config(cfg) or {},
        mixer=augment_config(cfg),
        teacher=options['teacher'] or {},
    )
    drawing = _drawing(settings, augment, dataset)
    drawing(0, 0)  # an error here comes before the folder is claimed for these settings
    device = torch.device(device or get_device())
    machine = dict(device=device.type, threads=torch.get_num_threads(), torch=torch.__version__)
    folder = SetFolder(out, settings, describe(settings, parts, len(dataset)), machine)
    progress = Progress(folder, shows_progress)
    with folder.queue(progress.wait) as queue:
        for number, records, statistics in make_shards(
            dataset,
            DrawSampler(queue, drawing),
            labelled,
            settings,
            channel_order,
            cfg.train_dataloader.get('num_workers', 0),
            folder.raw_bytes,
        ):
            write = partial(folder.write, number, records, statistics)
            if not queue.finish(number, write):
                progress.lose(number)
            progress.update()
    classes = dataset.metainfo.get('classes')
    folder.complete(classes, labelled.num_classes, augment.num_mix, channel_order, progress.report)
    progress.finish()


def read_settings(cfg: Config) -> tuple[GenerationSettings, dict[str, Any]]:
    """Return the field ``generation`` of a config.

    Args:
        cfg: Config of a classifier.

    Returns:
        The settings, and ``pipeline`` and ``teacher``, each None if not given.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``num`` is missing, a field is unknown or a value out of its range.
    """
    given = cfg.get('generation') or {}
    names = [field.name for field in fields(GenerationSettings)]
    check_keys('generation', given, [*names, *_OPTIONS])
    if 'num' not in given:
        raise ValueError('generation needs num, the number of mixed images; give --num')
    given = dict(given)
    options = {name: given.pop(name, None) for name in _OPTIONS}
    return GenerationSettings(**given), options


def _channel_order(source: Mapping, dataset: Any) -> str:
    """Return the order of the images' channels, ``'rgb'`` for grey images.

    Raises:
        ValueError: If colour images come in an unknown order.
    """
    order = dataset_order(source)
    if order.name is None and dataset[0]['inputs'].shape[0] != 1:
        raise ValueError(
            'a generated set records the order of its colour channels, and that of the images is '
            f'unknown: {order.reason}'
        )
    return order.name or 'rgb'


def _labelled(
    augment: BatchAugment,
    cfg: Config,
    dataset: Any,
    teacher: dict | None,
    device: str | torch.device,
) -> LabelledAugment:
    """Return the augment with the teacher that labels its mixes, by default its own."""
    num_classes = count_classes(cfg, dataset)
    augment.check_classes(num_classes)
    labeller = augment.teacher
    if teacher is not None:
        labeller = build_teacher(with_input_stats(teacher, cfg))
    check_labeller(labeller, num_classes)
    assert labeller is not None  # refused above
    check_class_names(labeller, dataset, 'train_dataloader')
    preprocessor = dict(preprocessor_config(cfg) or {})
    return LabelledAugment(augment, labeller, preprocessor, num_classes, device)


def _drawing(
    settings: GenerationSettings, augment: BatchAugment, dataset: Any
) -> Callable[[int, int], ShardDraw]:
    """Return a function that draws a batch from the numbers of its shard and of itself."""
    labels = None
    if augment.needs_distinct_classes:
        labels = torch.as_tensor(dataset.get_gt_labels())

    def draw(shard: int, batch: int) -> ShardDraw:
        return draw_batch(
            (shard, batch),
            settings.seed,
            (settings.batch_size, augment.num_mix),
            len(dataset),
            augment.alpha,
            settings.flip_prob,
            labels,
        )

    return draw
