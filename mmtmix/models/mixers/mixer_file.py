"""mixer.pth: a mixing module on disk."""

from __future__ import annotations

import os
from typing import Any

import torch

from mmtmix.program import program
from mmtmix.utils import atomic_path, check_finite_weights, load_checkpoint, local_file
from mmtmix.version import __version__

from .transform_mixer import TransformMixer

FORMAT = 'mmtmix.TransformMixer'
# settings of modules before these arguments existed, which older files lack
_OLD_DEFAULTS: dict[str, Any] = dict(
    anchored=False, random_orientation=False, saliency_noise=0.0, mask_size=None
)


def save_mixer(
    mixer: TransformMixer,
    path: str | os.PathLike,
    searched_on: dict[str, Any] | None = None,
    state_dict: dict[str, torch.Tensor] | None = None,
) -> None:
    """Write a mixing module so that :func:`load_mixer` makes it again, atomically.

    Args:
        mixer: The module.
        path: Path of the file.
        searched_on: Plain data about its origin (data set, teacher, epochs).
        state_dict: Weights to write in place of the module's own, such as an EMA's.
    """
    state = mixer.state_dict() if state_dict is None else state_dict
    content = dict(
        format=FORMAT,
        version=__version__,
        arch=mixer.arch,
        searched_on=searched_on or {},
        state_dict={name: value.detach().cpu().clone() for name, value in state.items()},
    )
    with atomic_path(path) as temporary, open(temporary, 'wb') as file:
        torch.save(content, file)  # given a path, torch hides the cause


def load_mixer(path: str | os.PathLike, **expected: Any) -> TransformMixer:
    """Read a mixing module, without running code that the file may hold.

    Args:
        path: Path of a file that :func:`save_mixer` or a search wrote, or ``mmtmix://NAME`` for a
            module that comes with the package.
        expected: Arguments of :class:`TransformMixer` that those in the file must equal.

    Returns:
        The module, in eval mode and frozen.

    Raises:
        FileNotFoundError: If there is no such file; the error names the command that makes one.
        ValueError: If it is no mixer file, holds NaN or infinity, differs from what was expected,
            or the package has no module of that name.
    """
    if not local_file(path).is_file():
        raise FileNotFoundError(
            f'mixer file {str(path)!r} does not exist. Make it with '
            f'`{program("train")} CONFIG`: a config that lists it under `requires` makes it '
            'first, a search config (configs/transformmix/search_*.py) makes it alone. Or take '
            'one that comes with mmtmix: `mmtmix weights` lists them'
        )
    try:
        content = load_checkpoint(path)
    except ValueError as error:
        raise ValueError(f'the mixer file cannot be read: {error}') from error
    if content.get('format') != FORMAT or not {'arch', 'state_dict'} <= content.keys():
        raise ValueError(
            f'{str(path)!r} is no mixer file (its keys: {sorted(map(str, content))[:6]}); give '
            'the mixer.pth that a search exports, not a checkpoint of a run'
        )
    check_finite_weights(content['state_dict'], f'mixer file {str(path)!r}')
    arch = _OLD_DEFAULTS | content['arch']
    _check_expected(path, arch, expected)
    try:
        mixer = TransformMixer(**arch)
        mixer.load_state_dict(content['state_dict'])
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f'mixer file {str(path)!r}, written by mmtmix {content.get("version")}, cannot be '
            f'read by mmtmix {__version__}: {error}'
        ) from error
    return mixer.requires_grad_(False).eval()


def _check_expected(
    path: str | os.PathLike, arch: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Refuse a module whose arguments differ from the expected ones."""
    unknown = sorted(expected.keys() - arch.keys())
    if unknown:
        raise ValueError(f'a TransformMixer has no {unknown}; its arguments are {sorted(arch)}')
    different = {
        name: (arch.get(name), value)
        for name, value in expected.items()
        if arch.get(name) != value
    }
    if different:
        raise ValueError(
            f'mixer file {str(path)!r} does not fit: '
            + ', '.join(
                f'{name} is {found!r} in the file and {wanted!r} in the config'
                for name, (found, wanted) in different.items()
            )
            + '. Change the config, or search a mixer with these settings'
        )
