"""Convert a checkpoint of another code base into one of this library."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.checks import check_choice, check_flag, check_path
from mmtmix.utils import (
    atomic_path,
    check_finite_weights,
    file_digest,
    is_shipped,
    load_config,
    local_file,
)

from .layouts import ARCHS, Arch, rename
from .source import read_source

_COUNTER = 'num_batches_tracked'  # a batch norm's; old versions of torch did not save it


def build_network(arch: Arch, num_classes: int | None = None) -> nn.Module:
    """Build the classifier that a network's checkpoints are converted for.

    Args:
        arch: Network, one of the values of ``ARCHS``.
        num_classes: Number of classes of its last layer; by default that of its config.
    """
    model = load_config(f'configs/_base_/models/{arch.config}.py').model
    if num_classes is not None:
        model[arch.classifier.split('.')[0]].num_classes = num_classes
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(model)


def convert_state(
    state: Mapping[str, Tensor], arch: str, num_classes: int | None = None
) -> dict[str, Tensor]:
    """Rename the weights of a network to those of MMPretrain's classifier.

    Args:
        state: Weights by their names in the other code base.
        arch: Name in ``ARCHS``.
        num_classes: Number of classes of the weights; by default that of the config. Networks for
            images of another size may differ in this number alone.

    Returns:
        A state dict that fits the network's config, in its order and its precision.

    Raises:
        ValueError: If the name is unknown, or a key is left over, missing or of another shape. If
            the number of classes differs, or a weight is not a finite real number of float32.
            The message names the first keys of each kind, and networks that would fit.
    """
    check_choice('arch', arch, tuple(ARCHS))
    found, left_over = _renamed(state, ARCHS[arch])
    classifier = found.get(f'{ARCHS[arch].classifier}.weight')
    if classifier is None or classifier.dim() != 2:
        raise ValueError(
            f'there is no linear classifier among the keys {_shorten(list(state))}; is this a '
            f'checkpoint of {arch}?'
        )
    own = build_network(ARCHS[arch], len(classifier)).state_dict()
    problems = _misfits(found, own)
    problems['left over'] = left_over + problems['left over']
    if any(problems.values()):
        fitting = _fitting(state, arch, len(classifier))
        cure = f'; --arch {" or ".join(fitting)} fits' if fitting else ''
        listed = '\n'.join(
            f'  {kind}: {_shorten(keys)}' for kind, keys in problems.items() if keys
        )
        raise ValueError(f'this is no checkpoint of {arch}{cure}. Against {arch}:\n{listed}')
    _check_classes(state, arch, len(classifier), num_classes)
    # checked as float32: double precision holds larger numbers, and float8 has no isfinite
    infinite = [key for key, value in state.items() if not value.float().isfinite().all()]
    if infinite:
        raise ValueError(
            f'these weights hold NaN or infinity as torch.float32: {", ".join(infinite)}'
        )
    return {key: found.get(key, value).to(value.dtype, copy=True) for key, value in own.items()}


def convert_checkpoint(
    source: str | os.PathLike,
    target: str | os.PathLike,
    arch: str,
    trust_source: bool = False,
    num_classes: int | None = None,
    force: bool = False,
) -> dict[str, Tensor]:
    """Convert a file.

    Args:
        source: Path or address of the checkpoint, see :func:`read_source`.
        target: Path of the file to write.
        arch: Name in ``ARCHS``.
        trust_source: Whether code in the source may run, see :func:`read_source`.
        num_classes: Number of classes, see :func:`convert_state`.
        force: Whether a target that exists is replaced.

    Returns:
        The state dict that was written.

    Raises:
        FileExistsError: If the target exists and is not to be replaced.
        IsADirectoryError: If the target is a folder.
        OSError: If the source cannot be read, or the target cannot be written.
        TypeError: If an argument is of another type.
        ValueError: If the target is the source itself; see also :func:`read_source` and
            :func:`convert_state`.
    """
    check_path('source', source)
    check_path('target', target)
    check_choice('arch', arch, tuple(ARCHS))
    check_flag('force', force)
    if Path(target).exists() and Path(source).exists() and Path(target).samefile(source):
        raise ValueError(f'target is the source itself, {str(source)!r}; give another name')
    if Path(target).is_dir():
        raise IsADirectoryError(f'{str(target)!r} is a folder; name a file to write, in it maybe')
    if Path(target).exists() and not force:
        raise FileExistsError(f'{str(target)!r} exists; give another name, or replace it: --force')
    weights = read_source(source, trust_source)
    check_finite_weights(weights, f'checkpoint {str(source)!r}')
    state = convert_state(weights, arch, num_classes)
    dtypes = {value.dtype for value in weights.values() if value.is_floating_point()}
    if others := sorted(str(dtype) for dtype in dtypes - {torch.float32}):
        print_log(f'note: weights of {", ".join(others)} become torch.float32')
    meta = dict(arch=arch, config=f'configs/_base_/models/{ARCHS[arch].config}.py')
    if is_shipped(source) or Path(source).is_file():
        meta['source_sha256'] = file_digest(local_file(source), 64)
    with atomic_path(target) as temporary, open(temporary, 'wb') as file:
        torch.save(dict(meta=meta, state_dict=state), file)  # given a path, torch hides the cause
    return state


def _renamed(state: Mapping[str, Tensor], arch: Arch) -> tuple[dict[str, Tensor], list[str]]:
    """Return the weights by their new names, and the keys without a rule or with a taken name."""
    found: dict[str, Tensor] = {}
    left_over = []
    for key, value in state.items():
        new = rename(key, arch.rules)
        if new is None or new in found:
            left_over.append(key)
        else:
            found[new] = value
    return found, left_over


def _misfits(found: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """Return the keys that do not fit a network, by kind of fault."""
    return {
        'left over': [key for key in found if key not in own],
        'missing': [key for key in own if key not in found and not key.endswith(_COUNTER)],
        'of another shape': [
            f'{key} {tuple(found[key].shape)} instead of {tuple(own[key].shape)}'
            for key in own
            if key in found and found[key].shape != own[key].shape
        ],
        'of another type': [
            f'{key} {found[key].dtype} instead of {own[key].dtype}'
            for key in own
            if key in found and not _may_become(found[key], own[key])
        ],
    }


def _may_become(value: Tensor, own: Tensor) -> bool:
    """Return whether a value can be cast; a counter may be a float, since states are averaged."""
    return value.is_floating_point() or not (own.is_floating_point() or value.is_complex())


def _check_classes(state: Mapping[str, Tensor], arch: str, actual: int, given: int | None) -> None:
    """Refuse weights for another number of classes than expected."""
    expected = count_classes(ARCHS[arch]) if given is None else given
    if actual == expected:
        return
    whose = f'the config of {arch}' if given is None else '--num-classes'
    others = [name for name in _fitting(state, arch, actual) if _is_usual(name, actual)]
    cure = f'; --arch {" or ".join(others)} would fit' if others else ''
    raise ValueError(
        f'the file has {actual} classes and {whose} {expected}{cure}. If {actual} is right, give '
        f'--num-classes {actual}'
    )


def count_classes(arch: Arch) -> int:
    """Return the number of classes in a network's config.

    Args:
        arch: Network, one of the values of ``ARCHS``.
    """
    model = load_config(f'configs/_base_/models/{arch.config}.py').model
    return model[arch.classifier.split('.')[0]].num_classes


def _is_usual(arch: str, num_classes: int) -> bool:
    return count_classes(ARCHS[arch]) == num_classes


def _fitting(state: Mapping[str, Tensor], arch: str, num_classes: int) -> list[str]:
    """Return the other networks that weights fit, those with the same number of classes first."""
    names = [name for name in ARCHS if name != arch and _fits(state, ARCHS[name], num_classes)]
    return sorted(names, key=lambda name: not _is_usual(name, num_classes))


def _fits(state: Mapping[str, Tensor], arch: Arch, num_classes: int) -> bool:
    """Return whether weights fit a network with so many classes."""
    found, left_over = _renamed(state, arch)
    if left_over or f'{arch.classifier}.weight' not in found:  # building takes time
        return False
    own = dict(_shapes(arch.config))
    for part in ('weight', 'bias'):
        key = f'{arch.classifier}.{part}'
        own[key] = own[key].new_empty((num_classes, *own[key].shape[1:]))
    return not any(_misfits(found, own).values())


@cache
def _shapes(config: str) -> dict[str, Tensor]:
    """Return a network's state dict on the meta device, with shapes and dtypes alone."""
    arch = next(each for each in ARCHS.values() if each.config == config)
    return {key: value.to('meta') for key, value in build_network(arch).state_dict().items()}


def _shorten(keys: list[str], most: int = 6) -> str:
    more = f' and {len(keys) - most} more' if len(keys) > most else ''
    return ', '.join(keys[:most]) + more
