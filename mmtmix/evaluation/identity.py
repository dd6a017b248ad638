"""Digests of what predictions depend on beside the checkpoint: the network and the images."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.config import Config

from .image_loader import image_loader_config

_DIGITS = 16
_ADDRESS = re.compile(r' at 0x[0-9a-f]+')
_OVERWRITTEN = ('init_cfg', 'pretrained')  # values that the checkpoint replaces
TRAINING_ONLY = ('train_cfg', 'pretrained')
"""Settings of a model that only a training needs."""


def network_settings(cfg: Config) -> dict[str, Any]:
    """Return the settings of a config's network as a test builds it, with its data preprocessor.

    Args:
        cfg: Full config, which is not changed.

    Raises:
        ValueError: If the config has no model.
    """
    if not cfg.get('model'):
        raise ValueError('the config has no `model`')
    settings = copy.deepcopy(cfg.model)  # a build fills in settings of layers
    preprocessor = settings.get('data_preprocessor') or cfg.get('data_preprocessor')
    if preprocessor is not None:
        settings['data_preprocessor'] = copy.deepcopy(preprocessor)
    for name in TRAINING_ONLY:
        settings.pop(name, None)
    return settings


def network_digest(cfg: Config) -> str:
    """Return the digest of a network's settings and its data preprocessor's.

    A checkpoint holds neither the normalisation nor most settings of the layers.

    Args:
        cfg: Full config.

    Raises:
        ValueError: If the config has no model.
    """
    return content_digest(_without(network_settings(cfg), _OVERWRITTEN))


def images_digest(cfg: Config, num_images: int | None = None, seed: int = 0) -> str:
    """Return the digest of the settings that the images of a test set depend on.

    Args:
        cfg: Full config.
        num_images: Number of images, balanced over the classes; None for all.
        seed: Seed of their choice.
    """
    dataset = image_loader_config(cfg).dataset.to_dict()
    return content_digest([dataset, None if num_images is None else [num_images, seed]])


def image_list_digest(dataset: Any) -> str:
    """Return the digest of the images that a data set lists: names and labels in their order.

    The folder that holds all of them does not count. Images in memory count with their pixels.

    Args:
        dataset: Data set of MMPretrain, or a wrapper of some, built.
    """
    if not hasattr(dataset, 'get_data_info'):
        return content_digest(len(dataset))
    items = [dataset.get_data_info(number) for number in range(len(dataset))]
    paths = [str(item.get('img_path', '')).replace('\\', '/') for item in items]
    start = _common_folder(paths)
    listed = [
        [path[start:] or _pixels(item.get('img')), np.asarray(item.get('gt_label')).tolist()]
        for path, item in zip(paths, items, strict=True)
    ]
    return content_digest(listed)


def content_digest(content: Any) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of data for JSON.

    Args:
        content: The data. Classes and functions in it count with their names.
    """
    text = json.dumps(content, sort_keys=True, default=_as_text)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _common_folder(paths: list[str]) -> int:
    """Return the length of the folder that all paths begin with, with its slash."""
    first, last = min(paths, default=''), max(paths, default='')
    pairs = zip(first, last, strict=False)
    same = next((at for at, (one, two) in enumerate(pairs) if one != two), len(first))
    return first.rfind('/', 0, same) + 1


def _pixels(image: Any) -> str:
    if image is None:
        return ''
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()[:_DIGITS]


def _without(value: Any, names: tuple[str, ...]) -> Any:
    """Return settings without some names, at any depth."""
    if isinstance(value, Mapping):
        return {name: _without(each, names) for name, each in value.items() if name not in names}
    return [_without(each, names) for each in value] if isinstance(value, (list, tuple)) else value


def _as_text(value: Any) -> str:
    if hasattr(value, '__qualname__'):
        return f'{value.__module__}.{value.__qualname__}'
    return _ADDRESS.sub('', repr(value))
