"""Measures of a mixing module on images, beside blind mixes of the same images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from mmtmix.datasets.eval_view import build_eval_view
from mmtmix.functional import (
    blend,
    box_masks,
    identity_theta,
    kept_saliency,
    mix_targets,
    resize_map,
    soft_cross_entropy,
    top_classes_match,
)
from mmtmix.models.data_preprocessors.task_preprocessor import TaskPreprocessor, count_classes
from mmtmix.models.draw import Draw, draw_mixes
from mmtmix.models.mixers import TransformMixer
from mmtmix.models.teacher_mix import mix_with_teacher
from mmtmix.models.teachers import FrozenTeacher, preprocessor_config

Batches = Iterable[tuple[Tensor, Tensor]]
_NORMAL, _BATCH = 1.96, 250


@torch.no_grad()
def measure_module(
    teacher: FrozenTeacher,
    mixer: TransformMixer,
    batches: Batches,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure how well a teacher reads a module's mixes, CutMix's and Mixup's of the same images.

    All three mix the same images with the same weights, drawn from Dir(1).

    Args:
        teacher: Teacher whose maps the module reads, and which reads the mixes.
        mixer: The mixing module.
        batches: Images as the teacher takes them, (N, C, H, W), and their classes, int64 (N,).
        seed: Seed of pairs, weights, boxes and noise.

    Returns:
        The number of ``images``, each of which begins a mix. For each of ``transformmix``,
        ``cutmix`` and ``mixup`` there are three measures. ``ce`` is the teacher's cross entropy in
        nats, and ``top_k`` the percentage of mixes whose top-k classes are the mixed ones.
        ``kept_saliency`` is the mean percentage of an image's saliency that is seen in a mix.
        ``ce_minus_cutmix`` is the mean difference of the module's cross entropy, and its 95 %
        interval.
    """
    generator = torch.Generator().manual_seed(seed)
    parts: dict[str, list[Tensor]] = {}
    num_images = 0
    for images, classes in batches:
        num_images += len(images)
        draw = draw_mixes(len(images), mixer.num_mix, 1.0, generator, images.device)
        for name, values in _measure_batch(teacher, mixer, images, classes, draw):
            parts.setdefault(name, []).append(values)
    columns = {name: torch.cat(values).double() for name, values in parts.items()}
    difference = columns['transformmix/ce'] - columns['cutmix/ce']
    mean, half = difference.mean(), _NORMAL * difference.std() / len(difference) ** 0.5
    found: dict[str, Any] = dict(
        images=num_images,
        ce_minus_cutmix=[round(float(value), 4) for value in (mean, mean - half, mean + half)],
    )
    for name, values in columns.items():
        method, measure = name.split('/')
        scale = 1.0 if measure == 'ce' else 100.0
        found.setdefault(method, {})[measure] = round(scale * float(values.mean()), 4)
    return found


def _measure_batch(
    teacher: FrozenTeacher, mixer: TransformMixer, images: Tensor, classes: Tensor, draw: Draw
) -> Iterator[tuple[str, Tensor]]:
    """Yield method and measure, and the values for each mix of a batch."""
    num_classes = teacher.count_classes(images)
    scores = torch.nn.functional.one_hot(classes, num_classes).float()
    weights, index, (height, width) = draw.weights, draw.index, images.shape[-2:]
    boxes = box_masks(weights, height, width, draw.generator)
    mixed, details = mix_with_teacher(teacher, mixer, images, scores, draw)
    flat = weights[..., None, None, None].expand(-1, -1, 1, height, width)
    chosen = images[index]
    still = identity_theta(len(index), mixer.num_mix)
    mixes = dict(
        transformmix=(mixed, details['masks'], details['theta']),
        cutmix=(blend(chosen, boxes.to(images.dtype)), boxes, still),
        mixup=(blend(chosen, flat.to(images.dtype)), flat, still),
    )
    targets = mix_targets(scores, weights, index)
    for method, (mix, masks, theta) in mixes.items():
        logits = teacher(mix, check=False).float()
        shown = resize_map(masks.squeeze(2).float(), mixer.cam_size).unsqueeze(2)
        kept = kept_saliency(details['saliency'], shown, theta)
        yield f'{method}/ce', soft_cross_entropy(logits, targets)
        yield f'{method}/top_k', top_classes_match(logits, classes[index])
        yield f'{method}/kept_saliency', kept.mean(dim=1)


def batches_of(cfg: Config, num_images: int, split: str = 'val', seed: int = 0) -> Batches:
    """Yield normalised images and classes of a config's data, in an order drawn once.

    Neighbours are mixed, so the order is not that of the data set, which may go class by class.

    Args:
        cfg: Config of a classifier, by whose validation pipeline the images are read.
        num_images: Number of images at most, >= 1.
        split: Data set of the images, ``'train'``, ``'val'`` or ``'test'``.
        seed: Seed of the order.
    """
    dataset, _ = build_eval_view(cfg, split)
    settings = preprocessor_config(cfg) or {}
    preprocess = TaskPreprocessor(settings, count_classes(cfg, dataset), 'cpu')
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(dataset), generator=generator)[:num_images]
    for rows in order.split(_BATCH):
        inputs, scores = preprocess([dataset[row] for row in rows.tolist()])
        yield inputs, scores.argmax(dim=1)
