"""Images of a config's data set, ready to be mixed and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from mmtmix.checks import check_choice, check_integer
from mmtmix.datasets import build_eval_view, eval_view_config
from mmtmix.models.data_preprocessors.task_preprocessor import TaskPreprocessor, count_classes
from mmtmix.models.teachers import InputStats, dataset_order, preprocessor_config


@dataclass(frozen=True)
class RealImages:
    """Groups of k images, one group after the other.

    Attributes:
        inputs: Images, normalised, (N, C, H, W), N = groups * k.
        scores: Labels, one-hot, (N, num_classes).
        names: Name of the class of each of the N images.
        index: Images of each mix, (N, k): an image with the others of its group.
        stats: Normalisation of the images.
        channel_order: Order of the channels of ``inputs``, ``'rgb'`` or ``'bgr'``; None where it
            is unknown.
        samples: The data samples of the N images, with what the pipeline packed of each.
    """

    inputs: Tensor
    scores: Tensor
    names: list[str]
    index: Tensor
    stats: InputStats
    channel_order: str | None
    samples: list[Any]

    @property
    def rows(self) -> range:
        """The first image of each group."""
        return range(0, len(self.inputs), self.index.size(1))


def load_images(
    cfg: Config,
    num_mix: int,
    split: str = 'train',
    num: int = 4,
    indices: Sequence[int] | None = None,
    seed: int = 0,
    device: str = 'cpu',
) -> RealImages:
    """Read images and preprocess them by a config, without its batch augments.

    Args:
        cfg: Config of a classifier.
        num_mix: Number of images per group, k >= 1.
        split: Data set of the images, ``'train'``, ``'val'`` or ``'test'``. They always go through
            the pipeline of the validation set, since crops and flips would be drawn at random.
        num: Number of groups, >= 1, each of different classes.
        indices: Images of all groups, in place of ``num``.
        seed: Seed for drawing the groups, >= 0.
        device: Device of the images.

    Returns:
        The images.

    Raises:
        FileNotFoundError: If files of the data set are missing.
        TypeError: If an argument is of another type.
        ValueError: If the config has no such data set, there are too few images, the indices
            don't fit or images differ in size.
    """
    check_choice('split', split, ('train', 'val', 'test'))
    for name, value, least in (('num_mix', num_mix, 1), ('num', num, 1), ('seed', seed, 0)):
        check_integer(name, value, least)
    dataset, _ = build_eval_view(cfg, split)
    indices = draw_groups(dataset, num, num_mix, seed) if indices is None else list(indices)
    if not indices or len(indices) % num_mix or not all(0 <= i < len(dataset) for i in indices):
        raise ValueError(
            f'indices must be groups of {num_mix} from 0 to {len(dataset) - 1}, since the augment '
            f'mixes {num_mix} of {len(dataset)} images; got {indices}'
        )
    classes = dataset.metainfo.get('classes')
    settings, num_classes = preprocessor_config(cfg) or {}, count_classes(cfg, dataset)
    preprocess = TaskPreprocessor(settings, num_classes, device)
    items = [dataset[i] for i in indices]
    inputs, scores = preprocess(items)
    labels = scores.argmax(dim=1).tolist()
    names = [classes[label] if classes else f'class {label}' for label in labels]
    # row i of a group is the group from its i-th image on, and then its first i images
    groups = torch.arange(len(indices), device=device).view(-1, num_mix)
    index = torch.stack([groups.roll(-i, dims=1) for i in range(num_mix)], dim=1).flatten(0, 1)
    order = dataset_order(eval_view_config(cfg, split)[0])
    stats = InputStats.from_preprocessor(settings, order)
    samples = [item['data_samples'] for item in items]
    return RealImages(inputs, scores, names, index, stats, stats.channel_order, samples)


def draw_groups(dataset: Any, num: int, num_mix: int, seed: int) -> list[int]:
    """Draw groups of images of different classes; no image is in two groups.

    Args:
        dataset: Data set to draw from.
        num: Number of groups, >= 1.
        num_mix: Number of images per group, >= 1.
        seed: Seed, >= 0.

    Returns:
        Indices of the images, one group after the other.

    Raises:
        ValueError: If there are not enough images.
    """
    generator = torch.Generator().manual_seed(seed)
    images: list[int] = []
    classes: set[int] = set()
    for image in torch.randperm(len(dataset), generator=generator).tolist():
        if len(images) == num * num_mix:
            break
        label = int(dataset.get_data_info(image)['gt_label'])
        if label not in classes:
            images.append(image)
            classes.add(label)
        if len(classes) == num_mix:
            classes.clear()
    if not images or len(images) < num * num_mix:
        raise ValueError(
            f'cannot draw num={num} groups of {num_mix} images of different classes from '
            f'{len(dataset)} images; draw fewer (at least 1), or give the indices'
        )
    return images
