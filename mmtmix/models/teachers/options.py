"""Checks of a teacher's arguments before any file is read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from mmengine.config import Config
from torch import nn

from mmtmix.checks import (
    check_choice,
    check_flag,
    check_instance,
    check_integer,
    check_numbers,
    check_path,
    check_text,
)
from mmtmix.utils import check_dtype

from .channel_order import check_channel_order

_CONFIGS = (str, os.PathLike, Mapping, Config)

SALIENCY = ('auto', 'cam', 'grad_cam', 'input_gradient')


def check_options(
    saliency: str,
    cam_layer: str | None,
    dtype: str | None,
    num_extra_tokens: int | None = None,
    channels_last: bool = False,
    compile: bool | Mapping = False,
) -> None:
    """Refuse options that :class:`FrozenTeacher` does not take.

    Args:
        saliency: Kind of maps; see :class:`FrozenTeacher`, as for the others.
        cam_layer: Name of the layer for Grad-CAM.
        dtype: Dtype of the forward.
        num_extra_tokens: Number of tokens that stand for no patch, >= 0.
        channels_last: Whether it computes with channels last.
        compile: Whether its forward is compiled, or arguments of ``torch.compile``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If one is unknown, or two don't go together.
    """
    check_choice('saliency', saliency, SALIENCY)
    if cam_layer is not None:
        check_text('cam_layer', cam_layer)
    check_flag('channels_last', channels_last)
    if not isinstance(compile, Mapping):
        check_flag('compile', compile, cure='or a dict of arguments of torch.compile')
    if dtype is not None:
        check_dtype(dtype)
    if saliency == 'input_gradient' and cam_layer is not None:
        raise ValueError(
            f'cam_layer={cam_layer!r} is a layer for Grad-CAM, which '
            "saliency='input_gradient' does not use; leave one of them out"
        )
    if saliency == 'cam' and cam_layer is not None:
        raise ValueError(
            f"cam_layer={cam_layer!r} is a layer for Grad-CAM, and saliency='cam' is the classic "
            "CAM of the last one; leave one of them out, or set saliency='grad_cam'"
        )
    if num_extra_tokens is not None:
        cure = 'it counts class, distillation and register tokens ahead of the patches'
        check_integer('num_extra_tokens', num_extra_tokens, 0, cure=cure)


def check_source(
    config: str | os.PathLike | Mapping | None,
    checkpoint: str | os.PathLike | None,
    model: nn.Module | None,
    mean: Sequence[float] | float | None,
    std: Sequence[float] | float | None,
    channel_order: str | None,
    variants: Mapping[str, Any] | None = None,
) -> None:
    """Refuse an incomplete teacher: half a config, or a module without its normalisation.

    Args:
        config: Path or dict of the config; see :class:`FrozenTeacher`, as for the others.
        checkpoint: Path or address of the weights.
        model: Module in place of ``config``.
        mean: Mean of its images, in 0-255 units.
        std: Standard deviation of its images, as ``mean``.
        channel_order: Order of its images' channels.
        variants: Variants of a config that is a file, by name.

    Raises:
        TypeError: If ``model`` is no module, or ``variants`` no dict.
        ValueError: If something is missing, is too much, or is in other units.
    """
    check_channel_order(channel_order)
    if variants:
        check_instance('variants', variants, Mapping, 'a dict of values by name')
        if not isinstance(config, (str, os.PathLike)):
            raise ValueError(
                f'variants={dict(variants)!r} are those of a config file, but config is '
                f'{type(config).__name__}; name the file, or leave variants out'
            )
    if model is None:
        missing = [n for n, v in dict(config=config, checkpoint=checkpoint).items() if not v]
        if missing:
            raise ValueError(
                f'teacher has no {" and no ".join(missing)}; give dict(config=..., '
                'checkpoint=...), the config of a classifier and its trained weights, or '
                'dict(model=..., mean=[...], std=[...]), a trained torch.nn.Module'
            )
        check_instance('config', config, _CONFIGS, 'the path of a config, or a config')
        check_path('checkpoint', checkpoint)
        if mean is not None or std is not None:
            raise ValueError(
                'mean and std belong to model=..., a torch.nn.Module; with a config they are in '
                "the config's data_preprocessor"
            )
        return
    if not isinstance(model, nn.Module):
        raise TypeError(
            f'model must be a torch.nn.Module, got {model!r}; for a config give config=... and '
            'checkpoint=...'
        )
    if config is not None:
        raise ValueError('give either config and checkpoint, or model, mean and std, not both')
    if mean is None or std is None:
        raise ValueError(
            'the normalisation of the images of model=... is unknown; give mean=[...] and '
            'std=[...] in 0-255 units, such as mean=[123.675, 116.28, 103.53], '
            'std=[58.395, 57.12, 57.375] for the ImageNet weights of torchvision and timm; '
            'mean=0, std=255 for a network that takes images in [0, 1]'
        )
    if checkpoint is not None:
        check_path('checkpoint', checkpoint)
    _check_statistics(mean, std)


def as_statistics(values: Sequence[float] | float | None) -> tuple[float, ...]:
    """Return one number, or one per channel, as a tuple.

    Args:
        values: The numbers.
    """
    return tuple(map(float, _as_list(values)))


def _as_list(values: Any) -> Any:
    return [values] if isinstance(values, Real) else values


def _check_statistics(mean: Sequence[float] | float, std: Sequence[float] | float) -> None:
    cure = 'one number, or one per channel, in 0-255 units'
    check_numbers('mean', _as_list(mean), cure=cure)
    check_numbers('std', _as_list(std), above=0, cure=cure)
    means, deviations = as_statistics(mean), as_statistics(std)
    if len(means) != len(deviations):
        raise ValueError(
            f'mean and std must have as many numbers, one or one per channel, got {mean!r} and '
            f'{std!r}'
        )
    if max(deviations) < 1:
        raise ValueError(
            f'mean={mean!r} and std={std!r} seem to be in units of images in [0, 1]; multiply '
            'both by 255'
        )
