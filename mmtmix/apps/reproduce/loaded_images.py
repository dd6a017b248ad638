"""The images of a data loader, counted from its config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mmpretrain.registry import DATASETS

from mmtmix.datasets.sources import DATA_SETS
from mmtmix.utils import describe_error

MIXED = 'MixedImages'

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
        images = _size_of(dataset)
    read = f'{MIXED} ' if name == MIXED else ''  # which decodes large images itself
    return Data(name, images, pipeline, {read + pipeline_name(pipeline): (1.0, pipeline)})


def _size_of(dataset: Mapping[str, Any]) -> int:
    """Return the number of images of a data set whose files are here.

    Raises:
        ValueError: If it cannot be built.
    """
    try:
        return len(DATASETS.build({**dataset, 'pipeline': []}))
    except Exception as error:  # a data set is code, and can fail in any way
        raise ValueError(
            f'the number of images of the data set {dataset["type"]} is not known, since it '
            f'cannot be read here ({describe_error(error)}); put its files in place, or set '
            '`indices` of the data set to their number'
        ) from error


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
