"""The test set of a config, in its order: whole, a part balanced over classes, or corrupted."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.datasets import PackInputs
from mmpretrain.registry import DATA_SAMPLERS, TRANSFORMS
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Sampler

from mmtmix.checks import check_integer
from mmtmix.datasets import check_data, name_image_files
from mmtmix.datasets.eval_view import iter_parts, unwrap_resident
from mmtmix.engine.labels import read_labels


def build_image_loader(
    cfg: Config,
    num_images: int | None = None,
    seed: int = 0,
    extra: Mapping[str, Any] | None = None,
) -> DataLoader:
    """Build a loader of the test set's images, each once, in the order of the data set.

    It is MMPretrain's loader by the Runner's own function, with the batch size and the workers of
    ``test_dataloader``.

    Args:
        cfg: Full config with a ``test_dataloader``.
        num_images: Number of images, >= 1, balanced over the classes; None for all.
        seed: Seed of their choice, >= 0.
        extra: Settings of a transform that follows the pipeline's own, ahead of ``PackInputs``.

    Raises:
        FileNotFoundError: If files of the data set are missing.
        ValueError: If the config has no test set, or the transform has no place in its pipeline.
    """
    loader = image_loader_config(cfg)
    check_data(dict(test_dataloader=loader))
    if extra is not None:
        insert_transform(loader.dataset, extra)
    loader.sampler = ConfigDict(type='DefaultSampler', shuffle=False)
    if num_images is not None:
        check_integer('num_images', num_images, 1)
        loader.sampler = ConfigDict(type='BalancedSubsetSampler', num_images=num_images)
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmpretrain'):
        return Runner.build_dataloader(loader, seed=seed)


def image_loader_config(cfg: Config) -> ConfigDict:
    """Return the settings of a config's test loader, with images that are read one by one.

    Args:
        cfg: Full config, which is not changed.

    Raises:
        ValueError: If it has no ``test_dataloader`` with a data set.
    """
    settings = cfg.get('test_dataloader')
    if not isinstance(settings, Mapping) or not isinstance(settings.get('dataset'), Mapping):
        raise ValueError(
            'the config needs a test_dataloader with a dataset, whose images are evaluated; '
            f'got {settings!r}'
        )
    loader = ConfigDict(copy.deepcopy(dict(settings)))
    if unwrap_resident(loader.dataset):
        loader.pop('collate_fn', None)
    for name in ('batch_sampler', 'num_batch_per_epoch'):  # they may leave images out
        loader.pop(name, None)
    # many loaders follow each other here, and the workers of each would stay
    own = dict(drop_last=False, persistent_workers=False, pin_memory=False)
    defaults = dict(batch_size=64, num_workers=0, collate_fn=dict(type='default_collate'))
    loader = ConfigDict({**defaults, **loader, **own})
    name_image_files([loader.dataset])
    return loader


def insert_transform(dataset: ConfigDict, transform: Mapping[str, Any]) -> None:
    """Insert a transform ahead of the ``PackInputs`` of every pipeline of a data set.

    Args:
        dataset: Settings of a data set, which may wrap others; changed in place.
        transform: Settings of the transform.

    Raises:
        ValueError: If no pipeline has a ``PackInputs``.
    """
    is_placed = False
    for part in iter_parts(dataset):
        pipeline = list(part.get('pipeline') or ())
        places = [place for place, step in enumerate(pipeline) if is_kind(step, PackInputs)]
        if places:
            place = places[0]
            part.pipeline = [*pipeline[:place], ConfigDict(transform), *pipeline[place:]]
            is_placed = True
    if not is_placed:
        raise ValueError(
            f'{transform["type"]} needs a place ahead of PackInputs, and no pipeline of the '
            'test_dataloader has a PackInputs'
        )


def transform_kind(step: Mapping[str, Any]) -> Any:
    """Return the class of a transform; None if it is not registered.

    Args:
        step: Settings of the transform, whose type is a name, with or without a scope, or a class.
    """
    kind = step['type']
    return TRANSFORMS.get(kind) if isinstance(kind, str) else kind


def is_kind(step: Mapping[str, Any], *kinds: type) -> bool:
    """Return whether a transform is of one of some classes.

    Args:
        step: Settings of the transform.
        *kinds: The classes.
    """
    kind = transform_kind(step)
    return isinstance(kind, type) and issubclass(kind, kinds)


@DATA_SAMPLERS.register_module()
class BalancedSubsetSampler(Sampler[int]):
    """Sample a part of a data set that has every class equally often, in the data set's order.

    Args:
        dataset: Data set with single labels, built.
        num_images: Number of images, >= 1. All images are taken if there are fewer.
        seed: Seed of the choice, >= 0; None counts as 0.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(self, dataset: Any, num_images: int, seed: int | None = 0):
        check_integer('num_images', num_images, 1)
        if seed is not None:
            check_integer('seed', seed, 0)
        self.indices = balanced_indices(labels_of(dataset), num_images, seed or 0)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices.tolist())

    def __len__(self) -> int:
        return len(self.indices)


def balanced_indices(labels: NDArray, num_images: int, seed: int) -> NDArray:
    """Choose images so that the numbers per class differ by one at most, where classes allow it.

    Args:
        labels: Label of each image, int (N,).
        num_images: Number of images to choose, >= 1.
        seed: Seed of the choice, >= 0.

    Returns:
        Indices in rising order, (min(N, num_images),).
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(labels))
    _, classes = np.unique(labels[order], return_inverse=True)
    count = int(classes.max(initial=-1)) + 1
    turn = generator.permutation(count)
    rounds = np.empty(len(order), int)
    for number in range(count):
        of_class = classes == number
        rounds[of_class] = np.arange(of_class.sum())
    # one image per class in each round, the classes of the last round at random
    chosen = np.lexsort((turn[classes], rounds))[:num_images]
    return np.sort(order[chosen])


def labels_of(dataset: Any) -> NDArray:
    """Return the label of each image of a data set, int (N,).

    Args:
        dataset: Data set of MMPretrain, or a wrapper of some, built.
    """
    if hasattr(dataset, 'get_gt_labels'):
        return read_labels(dataset)
    return np.array([dataset.get_data_info(i)['gt_label'] for i in range(len(dataset))])
