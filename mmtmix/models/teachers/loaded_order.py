"""The order of channels in which a config's images arrive at its data preprocessor."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mmcv.transforms import (
    Compose,
    KeyMapper,
    LoadImageFromFile,
    Normalize,
    RandomApply,
    RandomChoice,
)
from mmengine.registry import Registry
from mmpretrain.datasets import CIFAR10, MNIST, ApplyToList, MultiView, NumpyToPIL, PILToNumpy
from mmpretrain.registry import DATASETS, TRANSFORMS

from .channel_order import CHANNEL_ORDERS, ChannelOrder, common_order

_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
_ARRAYS = {CIFAR10: 'rgb', MNIST: 'rgb'}  # MNIST is grey, so that any order is right
_OVERRIDES = {'load_data_list', 'get_data_info', 'prepare_data', '__getitem__', 'full_init'}
_SWAPS = {Normalize: 'to_rgb', NumpyToPIL: 'to_rgb', PILToNumpy: 'to_bgr'}
_SEQUENCES = (Compose, KeyMapper, ApplyToList)
_BRANCHES = (RandomChoice, MultiView)
_ORDER_KEEPING = ('mmcv', 'mmengine', 'mmpretrain', 'mmtmix')
_ORDER_WORDS = ('rgb', 'bgr', 'color', 'colour', 'channel')
CURE = "declare it as a class attribute there, channel_order = 'rgb' or 'bgr'"


def loaded_order(cfg: Mapping) -> ChannelOrder:
    """Return the order in which a config's images arrive at its data preprocessor.

    Args:
        cfg: Full config. Its ``train_dataloader`` counts, or else that of the validation or the
            test.

    Raises:
        ValueError: If a class declares another ``channel_order`` than ``'rgb'`` and ``'bgr'``.
    """
    for name in _LOADERS:
        loader = cfg.get(name)
        if isinstance(loader, Mapping) and loader.get('dataset') is not None:
            return dataset_order(loader['dataset'])
    return ChannelOrder(reason='the config has no data set')


def dataset_order(dataset: Any) -> ChannelOrder:
    """Return the order of a data set's images after its pipeline.

    MMCV's ``LoadImageFromFile`` loads BGR. MMPretrain's CIFAR holds RGB arrays. Every other class
    of a data set or a loading transform declares ``channel_order``: a string, or a classmethod
    that takes the settings and returns one.

    Args:
        dataset: Settings of a data set, which may wrap others.

    Raises:
        ValueError: If a class declares another ``channel_order`` than ``'rgb'`` and ``'bgr'``.
    """
    if not isinstance(dataset, Mapping):
        return ChannelOrder(reason=f'its data set is an object, a {type(dataset).__name__}')
    kind = _resolve(dataset.get('type'), DATASETS)
    inner = [dataset.get('dataset'), *(dataset.get('datasets') or ())]
    parts = [part for part in inner if isinstance(part, Mapping)]
    order = _declared(kind, dataset)
    if order is None:
        order = common_order(map(dataset_order, parts)) if parts else _items_order(kind, dataset)
    return _after(order, dataset.get('pipeline') or ())


def swaps(preprocessor: Mapping) -> bool:
    """Return whether a data preprocessor swaps red and blue.

    Args:
        preprocessor: Settings of the data preprocessor.
    """
    return any(preprocessor.get(name) for name in ('to_rgb', 'bgr_to_rgb', 'rgb_to_bgr'))


def _items_order(kind: Any, settings: Mapping) -> ChannelOrder:
    """Return the order of the arrays in a data set; without a name where it lists files."""
    if not isinstance(kind, type):
        name = _name(settings.get('type'))
        reason = f'its data set {name} is not registered here; import the module that has it'
        return ChannelOrder(loader=name, reason=reason)
    for base in kind.__mro__:
        if base in _ARRAYS:
            return ChannelOrder(_ARRAYS[base])
        if _OVERRIDES & vars(base).keys():
            break  # the class makes items of its own, whatever its bases do
    name = _name(kind)
    reason = f'its data set {name} has no channel_order and no LoadImageFromFile; {CURE}'
    return ChannelOrder(loader=f'{name}{_order_settings(settings)}', reason=reason)


def _after(order: ChannelOrder, pipeline: Sequence) -> ChannelOrder:
    for step in pipeline:
        order = _after_step(order, step)
    return order


def _after_step(order: ChannelOrder, step: Any) -> ChannelOrder:
    """Return the order of the images after a transform, given as settings or as an object."""
    is_config = isinstance(step, Mapping)
    kind = _resolve(step.get('type'), TRANSFORMS) if is_config else type(step)
    settings = step if is_config else getattr(step, '__dict__', {})
    declared = _declared(kind, settings)
    if declared is not None:
        return declared
    if not isinstance(kind, type):
        return _after_foreign(order, _name(step.get('type')), settings)
    if issubclass(kind, LoadImageFromFile):
        return _file_order(kind, settings)
    for swapping, argument in _SWAPS.items():
        if issubclass(kind, swapping):
            return order.swapped() if _setting(kind, settings, argument) else order
    if issubclass(kind, (*_SEQUENCES, *_BRANCHES, RandomApply)):
        return _after_wrapper(order, kind, settings)
    if kind.__module__.partition('.')[0] in _ORDER_KEEPING:
        return order
    return _after_foreign(order, _name(kind), settings)


def _after_wrapper(order: ChannelOrder, kind: type, settings: Mapping) -> ChannelOrder:
    inner = settings.get('transforms') or ()
    inner = inner if isinstance(inner, (list, tuple)) else [inner]
    parts = inner if issubclass(kind, _BRANCHES) else [inner]
    found = [_after(order, part if isinstance(part, (list, tuple)) else [part]) for part in parts]
    return common_order([order, *found] if issubclass(kind, RandomApply) else found or [order])


def _after_foreign(order: ChannelOrder, name: str, settings: Mapping) -> ChannelOrder:
    """Return the order after a foreign transform: a named one stays, any other may change."""
    if order.name is not None or not order.loader:
        return order
    return replace(order, loader=f'{order.loader} > {name}{_order_settings(settings)}')


def _file_order(kind: Any, settings: Mapping) -> ChannelOrder:
    name = _name(kind)
    if kind.transform is not LoadImageFromFile.transform:
        reason = f'its transform {name} loads images in its own way; {CURE}'
        return ChannelOrder(loader=f'{name}{_order_settings(settings)}', reason=reason)
    if _setting(kind, settings, 'imdecode_backend') == 'tifffile':
        # unlike OpenCV, Pillow and TurboJPEG in MMCV it keeps the order in the file
        return ChannelOrder(loader=f'{name} by tifffile', reason="tifffile keeps the file's order")
    return ChannelOrder('bgr')


def _declared(kind: Any, settings: Mapping) -> ChannelOrder | None:
    """Return the order that a class declares; None where a subclass makes its own images."""
    for base in kind.__mro__ if isinstance(kind, type) else ():
        if isinstance(vars(base).get('channel_order'), (str, classmethod)):
            break
        if (_OVERRIDES | {'transform', '__call__'}) & vars(base).keys():
            return None
    else:
        return None
    found = kind.channel_order
    if callable(found):
        given = {key: value for key, value in settings.items() if key not in ('type', '_scope_')}
        try:
            found = found(**given)
        except (OSError, ValueError) as error:
            return ChannelOrder(reason=f'{_name(kind)}.channel_order failed: {error}')
    if found not in CHANNEL_ORDERS:
        raise ValueError(
            f'{_name(kind)}.channel_order must be one of {CHANNEL_ORDERS}, got {found!r}'
        )
    return ChannelOrder(found)


def _resolve(kind: Any, registry: Registry) -> Any:
    """Return the class of a type; None if it is not registered."""
    if not isinstance(kind, str):
        return kind.build() if hasattr(kind, 'build') and not isinstance(kind, type) else kind
    try:
        return registry.get(kind)
    except Exception:  # an unknown scope or module raises whatever its import raises
        return None


def _setting(kind: type, settings: Mapping, name: str) -> Any:
    """Return the value of an argument, or its default."""
    default = inspect.signature(kind).parameters.get(name)
    return settings.get(name, None if default is None else default.default)


def _order_settings(settings: Mapping) -> str:
    """Return the arguments that may determine the order of a foreign class, as text."""
    found = {k: v for k, v in settings.items() if any(word in k.lower() for word in _ORDER_WORDS)}
    return repr(sorted(found.items())) if found else ''


def _name(kind: Any) -> str:
    return f'{kind.__module__}.{kind.__qualname__}' if isinstance(kind, type) else str(kind)
