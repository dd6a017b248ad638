"""Real images of a config's data set, ready to be mixed and drawn."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import default_collate
from mmpretrain.registry import DATASETS, MODELS
from torch import Tensor

from mmtmix.datasets import check_data
from mmtmix.models.teachers import InputStats


@dataclass(frozen=True)
class RealImages:
    """Groups of k images, one group after the other.

    Attributes:
        inputs: Normalised, (N, C, H, W), N = groups * k.
        scores: One-hot labels, (N, num_classes).
        names: Name of each image's class, N.
        index: The images of each mix, (N, k): an image with the others of its group.
        stats: How the images are normalised.
        channel_order: ``'rgb'`` or ``'bgr'``, of the normalised images.
    """

    inputs: Tensor
    scores: Tensor
    names: list[str]
    index: Tensor
    stats: InputStats
    channel_order: str

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
    """Read images and preprocess them as the config says, without its batch augments.

    Args:
        cfg: A classifier's config.
        num_mix: Images a group, k.
        split: ``'train'`` or ``'val'``: whose images. They go through the pipeline of the
            validation set in either case, since crops and flips would be drawn at random.
        num: Number of groups, each of different classes.
        indices: The images of all groups instead.
        seed: For drawing the groups.
        device: Where the images go.

    Returns:
        The images.

    Raises:
        FileNotFoundError: If files of the data set are missing.
        ValueError: If the config has no such data set, there are too few images, the indices
            don't fit or images differ in size.
    """
    dataset, pipeline = build_dataset(cfg, split)
    indices = draw_groups(dataset, num, num_mix, seed) if indices is None else list(indices)
    if not indices or len(indices) % num_mix or not all(0 <= i < len(dataset) for i in indices):
        raise ValueError(
            f'indices must be groups of {num_mix} from 0 to {len(dataset) - 1}, since the mixer '
            f'mixes {num_mix} of {len(dataset)} images; got {indices}'
        )
    classes = dataset.metainfo.get('classes')
    inputs, scores = _preprocess(cfg, [dataset[i] for i in indices], classes, device)
    labels = scores.argmax(dim=1).tolist()
    names = [classes[label] if classes else f'class {label}' for label in labels]
    # row i of a group is the group from its i-th image on, around its end
    groups = torch.arange(len(indices), device=device).view(-1, num_mix)
    index = torch.stack([groups.roll(-i, dims=1) for i in range(num_mix)], dim=1).flatten(0, 1)
    stats = InputStats.from_preprocessor(preprocessor_config(cfg))
    channel_order = 'bgr' if loads_bgr(pipeline) != stats.to_rgb else 'rgb'
    return RealImages(inputs, scores, names, index, stats, channel_order)


def preprocessor_config(cfg: Config) -> ConfigDict:
    """The data preprocessor's settings, from where MMEngine takes them."""
    found = cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor')
    return ConfigDict(found or {})


def build_dataset(cfg: Config, split: str) -> tuple[Any, Sequence[dict]]:
    """Build the data set of a split with the pipeline of the validation set.

    Returns:
        The data set and the pipeline.

    Raises:
        FileNotFoundError: If its files are missing.
        ValueError: If the config has no such data set, or no pipeline to read it with.
    """
    pipelines = [
        part.pipeline
        for loader in ('val_dataloader', 'test_dataloader')
        for part in _parts((cfg.get(loader) or {}).get('dataset'))
        if part.get('pipeline')
    ]
    field = f'{split}_dataloader'
    if not pipelines or not (cfg.get(field) or {}).get('dataset'):
        raise ValueError(
            f'the config needs a {field} for the images, and a val_dataloader or '
            'test_dataloader for the pipeline that they go through, each with a dataset'
        )
    dataset = copy.deepcopy(cfg[field].dataset)
    for part in _parts(dataset):
        if 'dataset' not in part and 'datasets' not in part:
            part.pipeline = pipelines[0]
    check_data({field: dict(dataset=dataset)})
    return DATASETS.build(dataset), pipelines[0]


def draw_groups(dataset: Any, num: int, num_mix: int, seed: int) -> list[int]:
    """Draw groups of images of different classes; no image is in two.

    Raises:
        ValueError: If there are not enough.
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
            f'{len(dataset)} images; ask for fewer (at least 1), or give the indices'
        )
    return images


def loads_bgr(pipeline: Sequence[dict]) -> bool:
    """Whether a pipeline gives BGR images, as reading files with OpenCV does.

    Data sets that hold their images in memory, such as CIFAR, have RGB ones.
    """
    return any('LoadImageFromFile' in str(step['type']) for step in pipeline)


def _preprocess(
    cfg: Config, items: list[dict], classes: Sequence[str] | None, device: str
) -> tuple[Tensor, Tensor]:
    """Normalised images and one-hot labels of a data set's items."""
    shapes = {tuple(item['inputs'].shape) for item in items}
    if len(shapes) > 1:
        raise ValueError(
            f'the pipeline of the validation set gives images of different sizes {shapes}, which '
            'make no batch; add a resize to it'
        )
    settings = dict(preprocessor_config(cfg), batch_augments=None, to_onehot=True)
    settings.setdefault('type', 'ClsDataPreprocessor')
    if settings.get('num_classes') is None:
        head = cfg.model.get('head') or {}
        settings['num_classes'] = head.get('num_classes') or len(classes or ()) or None
    data = MODELS.build(settings).to(device)(default_collate(items))
    scores = torch.stack([sample.gt_score for sample in data['data_samples']])
    return data['inputs'], scores.float()


def _parts(dataset: Any) -> Iterator[ConfigDict]:
    """A data set's settings and, where it wraps others, theirs."""
    if isinstance(dataset, Mapping):
        yield dataset
        for inner in (dataset.get('dataset'), *(dataset.get('datasets') or ())):
            yield from _parts(inner)
