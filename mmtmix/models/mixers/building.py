"""Make a mixing module from a config's argument."""

from __future__ import annotations

import os
from collections.abc import Mapping

import torch
from mmengine.logging import MMLogger
from mmpretrain.registry import MODELS

from .mixer_file import load_mixer
from .transform_mixer import TransformMixer


def check_module(mixer: str | os.PathLike | Mapping | TransformMixer, num_mix: int) -> None:
    """Check a mixing module as far as possible without reading its file.

    Args:
        mixer: Argument of :func:`build_module`.
        num_mix: Number of images per mix, k >= 2.

    Raises:
        TypeError: If it is none of the kinds.
        ValueError: If it mixes another number of images.
    """
    if isinstance(mixer, (str, os.PathLike)):
        return
    if not isinstance(mixer, (Mapping, TransformMixer)):
        raise TypeError(
            'mixer must be the path of a mixer.pth, dict(type="TransformMixer", ...) or a '
            f'TransformMixer, got {mixer!r}'
        )
    own = mixer.get('num_mix', num_mix) if isinstance(mixer, Mapping) else mixer.num_mix
    if own != num_mix:
        raise ValueError(
            f'num_mix={num_mix}, but the mixer mixes {own} images; set both to the same'
        )


def module_file(mixer: str | os.PathLike | Mapping | TransformMixer) -> str | os.PathLike | None:
    """Return the path of the ``mixer.pth`` of a mixing module; None if there is none.

    Args:
        mixer: Argument of :func:`build_module`.
    """
    if isinstance(mixer, (str, os.PathLike)):
        return mixer
    return mixer.get('checkpoint') if isinstance(mixer, Mapping) else None


def build_module(
    mixer: str | os.PathLike | Mapping | TransformMixer, num_mix: int
) -> TransformMixer:
    """Read a mixing module, or make an untrained one, frozen and in eval mode.

    Args:
        mixer: Path of the ``mixer.pth`` of a search, or ``'mmtmix://fashionmnist_k2'`` for a
            module that comes with the package; ``dict(type='TransformMixer', ...)`` for an
            untrained module, or with ``checkpoint='mixer.pth'`` for that file, which must have the
            other settings; or a module.
        num_mix: Number of images per mix, k >= 2.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If it is none of these.
        ValueError: If it or its file doesn't fit.
    """
    check_module(mixer, num_mix)
    if not isinstance(mixer, TransformMixer):
        settings = dict(mixer) if isinstance(mixer, Mapping) else {}
        settings = {'num_mix': num_mix, **settings}
        settings.pop('checkpoint', None)
        file = module_file(mixer)
        # Building draws random weights that are overwritten. The generator is forked, so that a
        # classifier built next to it keeps its own initialisation. Tensors that are made in
        # inference mode could not serve gradients later.
        with torch.random.fork_rng(devices=[]), torch.inference_mode(False):
            mixer = _read(file, settings) if file is not None else _untrained(settings)
        check_module(mixer, num_mix)
    return mixer.requires_grad_(False).eval()


def _read(file: str | os.PathLike, settings: dict) -> TransformMixer:
    settings.pop('type', None)
    return load_mixer(file, **settings)


def _untrained(settings: dict) -> TransformMixer:
    MMLogger.get_current_instance().warning(
        'TransformMix uses an untrained TransformMixer: its masks are random. Search one '
        'first and give its mixer.pth'
    )
    return MODELS.build(settings)
