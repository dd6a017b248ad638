"""Turn a foreign checkpoint into one of this library."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.utils import atomic_path, file_digest, load_config

from .layouts import ARCHS, Arch, rename
from .source import read_source

_COUNTER = 'num_batches_tracked'  # of batch norms; files of old versions of torch have none


def build_network(arch: Arch, num_classes: int) -> nn.Module:
    """The classifier that a network's checkpoints are converted for.

    Args:
        arch: One of ``ARCHS``.
        num_classes: Of its head.
    """
    model = load_config(f'configs/_base_/models/{arch.config}.py').model
    model.head.num_classes = num_classes
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(model)


def convert_state(state: Mapping[str, Tensor], arch: str) -> dict[str, Tensor]:
    """Rename the weights of a network to those of MMPretrain's classifier.

    Args:
        state: In the names of its code base.
        arch: A name in ``ARCHS``.

    Returns:
        A state dict that fits the network's config, in its order.

    Raises:
        ValueError: If the name is unknown, or a key is left over, missing or of another shape;
            all of them are listed.
    """
    if arch not in ARCHS:
        raise ValueError(f'arch must be one of {", ".join(ARCHS)}, got {arch!r}')
    found: dict[str, Tensor] = {}
    left_over = []
    for key, value in state.items():
        new = rename(key, ARCHS[arch].rules)
        if new is None or new in found:
            left_over.append(key)
        else:
            found[new] = value
    classifier = found.get('head.fc.weight')
    if classifier is None or classifier.dim() != 2:
        raise ValueError(
            f'there is no linear classifier among the keys {_shorten(list(state))}; is this a '
            f'checkpoint of {arch}?'
        )
    own = build_network(ARCHS[arch], len(classifier)).state_dict()
    left_over += [key for key in found if key not in own]
    missing = [key for key in own if key not in found and not key.endswith(_COUNTER)]
    misshapen = [
        f'{key} {tuple(found[key].shape)} instead of {tuple(own[key].shape)}'
        for key in own
        if key in found and found[key].shape != own[key].shape
    ]
    problems = {'left over': left_over, 'missing': missing, 'of another shape': misshapen}
    if any(problems.values()):
        listed = '\n'.join(
            f'  {kind}: {", ".join(keys)}' for kind, keys in problems.items() if keys
        )
        raise ValueError(f'this is no checkpoint of {arch}:\n{listed}')
    return {key: found.get(key, value).clone() for key, value in own.items()}


def convert_checkpoint(
    source: str | os.PathLike,
    target: str | os.PathLike,
    arch: str,
    trust_source: bool = False,
) -> dict[str, Tensor]:
    """Convert a file.

    Args:
        source: A checkpoint of another code base, see :func:`read_source`.
        target: The file to write.
        arch: A name in ``ARCHS``.
        trust_source: See :func:`read_source`.

    Returns:
        The state dict that was written.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: See :func:`read_source` and :func:`convert_state`.
    """
    if Path(target).exists() and Path(source).exists() and Path(target).samefile(source):
        raise ValueError(f'target is the source itself, {str(source)!r}; give another name')
    state = convert_state(read_source(source, trust_source), arch)
    meta = dict(arch=arch, config=f'configs/_base_/models/{ARCHS[arch].config}.py')
    if Path(source).is_file():
        meta['source_sha256'] = file_digest(source, 64)
    with atomic_path(target) as temporary:
        torch.save(dict(meta=meta, state_dict=state), temporary)
    return state


def _shorten(keys: list[str], most: int = 6) -> str:
    more = f' and {len(keys) - most} more' if len(keys) > most else ''
    return ', '.join(keys[:most]) + more
