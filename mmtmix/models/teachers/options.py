"""What a teacher can be made of, checked before any file is read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from torch import nn

from mmtmix.utils import check_dtype

from .channel_order import check_channel_order

SALIENCY = ('auto', 'cam', 'grad_cam', 'input_gradient')


def check_options(
    saliency: str, cam_layer: str | None, dtype: str | None, num_extra_tokens: int | None = None
) -> None:
    """Refuse options that no :class:`FrozenTeacher` takes.

    Args:
        saliency: See :class:`FrozenTeacher`, as the others.
        cam_layer: A layer for Grad-CAM.
        dtype: Precision of its passes.
        num_extra_tokens: Number of tokens that stand for no patch.

    Raises:
        ValueError: If one is unknown, or two don't go together.
    """
    if saliency not in SALIENCY:
        raise ValueError(f'saliency must be one of {SALIENCY}, got {saliency!r}')
    if dtype is not None:
        check_dtype(dtype)
    if saliency == 'input_gradient' and cam_layer is not None:
        raise ValueError(
            f'cam_layer={cam_layer!r} is a layer for Grad-CAM, which '
            "saliency='input_gradient' does without; leave one of them out"
        )
    if saliency == 'cam' and cam_layer is not None:
        raise ValueError(
            f"cam_layer={cam_layer!r} is a layer for Grad-CAM, and saliency='cam' is the classic "
            "CAM of the last one; leave one of them out, or set saliency='grad_cam'"
        )
    extra = num_extra_tokens
    if extra is not None and (not isinstance(extra, int) or isinstance(extra, bool) or extra < 0):
        raise ValueError(
            'num_extra_tokens must be an integer >= 0, the class, distillation and register '
            f'tokens ahead of the patches, or None to infer it; got {extra!r}'
        )


def check_source(
    config: str | os.PathLike | Mapping | None,
    checkpoint: str | os.PathLike | None,
    model: nn.Module | None,
    mean: Sequence[float] | float | None,
    std: Sequence[float] | float | None,
    channel_order: str | None,
) -> None:
    """Refuse what makes no teacher: half a config, or a module without its normalisation.

    Args:
        config: See :class:`FrozenTeacher`, as the others.
        checkpoint: Its weights.
        model: A module in place of ``config``.
        mean: Of its images, in 0-255 units.
        std: As ``mean``.
        channel_order: Of its images.

    Raises:
        TypeError: If ``model`` is no module.
        ValueError: If something is missing, is too much, or is in other units.
    """
    check_channel_order(channel_order)
    if model is None:
        missing = [n for n, v in dict(config=config, checkpoint=checkpoint).items() if not v]
        if missing:
            raise ValueError(
                f'teacher has no {" and no ".join(missing)}; give dict(config=..., '
                'checkpoint=...), the config of a classifier and its trained weights, or '
                'dict(model=..., mean=[...], std=[...]), a trained torch.nn.Module'
            )
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
            'nothing says how the images of model=... are normalised; give mean=[...] and '
            'std=[...] in 0-255 units, such as mean=[123.675, 116.28, 103.53], '
            'std=[58.395, 57.12, 57.375] for the ImageNet weights of torchvision and timm; '
            'mean=0, std=255 for a network that takes images in [0, 1]'
        )
    _check_statistics(mean, std)


def as_statistics(values: Sequence[float] | float) -> tuple[float, ...]:
    """One number, or one per channel, as a tuple."""
    return tuple(float(v) for v in ([values] if isinstance(values, (int, float)) else values))


def _check_statistics(mean: Sequence[float] | float, std: Sequence[float] | float) -> None:
    try:
        means, deviations = as_statistics(mean), as_statistics(std)
    except (TypeError, ValueError):
        raise TypeError(
            f'mean and std must be numbers, one or one per channel, got {mean!r} and {std!r}'
        ) from None
    if len(means) != len(deviations) or not means:
        raise ValueError(
            f'mean and std must have as many numbers, one or one per channel, got {mean!r} and '
            f'{std!r}'
        )
    if min(deviations) <= 0:
        raise ValueError(f'std must be > 0, in 0-255 units, got {std!r}')
    if max(deviations) < 1:
        raise ValueError(
            f'mean={mean!r} and std={std!r} seem to be in units of images in [0, 1]; multiply '
            'both by 255'
        )
