"""What files of a data set are missing, without building it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from inspect import signature
from typing import Any

from mmpretrain.datasets import MNIST, CustomDataset

from .annotated import missing_annotated


def missing_files(cls: Any, kwargs: dict) -> tuple[str, list[str]]:
    """Return the absolute folder of a dataset and what is missing there."""
    if hasattr(cls, 'missing_files'):
        return cls.missing_files(**kwargs)
    if has_file_lists(cls):
        return _missing_listed(cls, kwargs)
    folder, missing = _missing_paths(kwargs)
    if missing or _is_remote(folder):
        return folder, missing
    return folder, missing_annotated(cls, folder, kwargs) or _missing_images(cls, kwargs)


def has_file_lists(cls: Any) -> bool:
    """Tell whether a class lists its files, as those do that MMPretrain can download."""
    return hasattr(cls, 'train_list') and hasattr(cls, 'test_list')


def _missing_listed(cls: Any, kwargs: dict) -> tuple[str, list[str]]:
    """Check a class that lists its files; MMPretrain asks for both lists whatever the split."""
    folder = _join(kwargs.get('data_root'), kwargs.get('data_prefix'))
    if _is_remote(folder):
        return folder, []
    folder = os.path.abspath(os.path.join(folder, getattr(cls, 'base_folder', '')))
    names = [entry[0] for entry in (*cls.train_list, *cls.test_list)]
    if reads_extracted(cls):
        names = [os.path.splitext(name)[0] for name in names]
    return folder, [name for name in names if not os.path.exists(os.path.join(folder, name))]


def _missing_images(cls: Any, kwargs: dict) -> list[str]:
    """Look for one image in the folders of a ``CustomDataset``, which fails without any."""
    if cls is not CustomDataset or kwargs.get('ann_file'):
        return []
    prefix = kwargs.get('data_prefix')
    prefix = prefix.get('img_path') if isinstance(prefix, Mapping) else prefix
    root = os.path.abspath(_join(kwargs.get('data_root'), prefix))
    endings = kwargs.get('extensions') or signature(cls).parameters['extensions'].default
    endings = tuple(ending.lower() for ending in endings)
    is_labelled = kwargs.get('with_label', True)
    for folder, _, names in os.walk(root, followlinks=True):
        if is_labelled and folder == root:
            continue  # its subfolders are the classes
        if any(name.lower().endswith(endings) for name in names):
            return []
    where = 'the class folders of ' if is_labelled else ''
    return [f'any image ({", ".join(endings)}) in {where}{root}']


def reads_extracted(cls: Any) -> bool:
    """Tell whether the class's lists name gzipped downloads whose contents it then reads."""
    return isinstance(cls, type) and issubclass(cls, MNIST)


def _missing_paths(kwargs: dict) -> tuple[str, list[str]]:
    """Check ``ann_file`` and the folders, joined to ``data_root`` as MMEngine joins them."""
    root = kwargs.get('data_root')
    prefix = kwargs.get('data_prefix')
    prefixes = list(prefix.values()) if isinstance(prefix, Mapping) else [prefix]
    paths = [_join(root, item) for item in prefixes or ['']]
    if kwargs.get('ann_file'):
        paths.append(_join(root, kwargs['ann_file']))
    local = {os.path.abspath(path) for path in paths if path and not _is_remote(path)}
    missing = sorted(path for path in local if not os.path.exists(path))
    folder = _join(root, '') or (os.path.dirname(missing[0]) if missing else '')
    return folder if _is_remote(folder) else os.path.abspath(folder), missing


def _join(root: Any, path: Any) -> str:
    """Join as MMEngine does; what is no path (another class's meaning) counts as empty."""
    root, path = (os.fspath(p) if isinstance(p, (str, os.PathLike)) else '' for p in (root, path))
    path = os.path.expanduser(path)
    return path if _is_remote(path) else os.path.join(root, path)


def _is_remote(path: str) -> bool:
    return '://' in path
