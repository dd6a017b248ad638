"""Loaders whose data set stays in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmtmix.checks import check_choice, check_flag, check_instance

# settings of a loader's workers, of which a resident set has none
_OF_WORKERS = ('multiprocessing_context', 'prefetch_factor', 'timeout', 'worker_init_fn')
_COLLATES = ('default_collate', 'pseudo_collate', 'resident_collate')


def resident(
    loader: Mapping[str, Any],
    device: str | None = None,
    max_bytes: int | None = None,
    inherits: bool = True,
) -> dict[str, Any]:
    """Return the config of a loader whose images are read once and stay in memory.

    >>> train_dataloader = resident(_base_.train_dataloader)

    The batches hold the same images in the same order. ``ResidentDataset`` lists the transforms
    that it supports and refuses others. Worker processes read the images once, as many as the
    ordinary loader has. They end before the first batch.

    Args:
        loader: Config of the ordinary loader, such as ``_base_.train_dataloader``.
        device: Device of the images, such as ``'cpu'`` or ``'cuda'``; by default a GPU where there
            is one.
        max_bytes: Number of bytes that the images may take, >= 1; by default that of
            ``ResidentDataset``.
        inherits: Whether the result takes the place of an inherited loader, by ``_delete_``. False
            is for a script that sets ``cfg.train_dataloader`` or builds the loader.

    Returns:
        Config of the loader.

    Raises:
        TypeError: If the loader or its data set is no config, or ``inherits`` is no bool.
        ValueError: If the loader has a collate function of its own.
    """
    check_flag('inherits', inherits)
    check_instance('loader', loader, Mapping, 'the config of a data loader')
    dataset = loader.get('dataset')
    check_instance("loader['dataset']", dataset, Mapping, 'the config of a data set')
    collate = loader.get('collate_fn') or dict(type='resident_collate')
    name = collate.get('type') if isinstance(collate, Mapping) else collate
    name = name.rpartition('.')[2] if isinstance(name, str) else name
    cure = 'a resident set makes the batches itself; leave it out'
    check_choice("type of loader['collate_fn']", name, _COLLATES, cure=cure)
    kept = {key: value for key, value in loader.items() if key not in _OF_WORKERS}
    given = dict(
        device=device, max_bytes=max_bytes, read_workers=loader.get('num_workers') or None
    )
    settings = {key: value for key, value in given.items() if value is not None}
    if device != 'cpu':
        kept['pin_memory'] = False  # what is on a GPU cannot be pinned
    return {
        **kept,
        **({'_delete_': True} if inherits else {}),
        'num_workers': 0,
        'persistent_workers': False,
        'collate_fn': dict(type='resident_collate'),
        'dataset': dict(type='ResidentDataset', dataset=dataset, **settings),
    }
