"""What files of a data set are missing, without building it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from inspect import signature
from typing import Any, Protocol, runtime_checkable

from mmpretrain.datasets import CustomDataset

from .host_downloads import ListsFiles, base_folder, file_names
from .sources import data_set_of, missing_of_split


@runtime_checkable
class ChecksOwnFiles(Protocol):
    """A class of a data set that finds out itself which of its files are missing."""

    def missing_files(self, **kwargs: Any) -> tuple[str, list[str]]:
        """Return the absolute folder and the missing names, as a classmethod.

        Args:
            **kwargs: Arguments of the constructor.
        """


def missing_files(cls: Any, kwargs: dict) -> tuple[str, list[str]]:
    """Return the absolute folder of a data set and what is missing there.

    Args:
        cls: Class of the data set.
        kwargs: Arguments of its constructor.
    """
    if isinstance(cls, ChecksOwnFiles):
        return cls.missing_files(**kwargs)
    if isinstance(cls, ListsFiles):
        return _missing_listed(cls, kwargs)
    folder, missing = _missing_paths(kwargs)
    if missing or _is_remote(folder):
        return folder, missing
    data_set = data_set_of(cls)
    if data_set is not None:
        missing = missing_of_split(data_set, folder, kwargs.get('split'), kwargs)
    return folder, missing or _missing_images(cls, kwargs)


def listed_root(kwargs: dict) -> str:
    """Return the folder into which a class that lists its files would download them.

    Args:
        kwargs: Arguments of its constructor.
    """
    return _join(kwargs.get('data_root'), kwargs.get('data_prefix'))


def _missing_listed(cls: ListsFiles, kwargs: dict) -> tuple[str, list[str]]:
    """Check a class that lists its files; MMPretrain needs both lists, whatever the split."""
    folder = listed_root(kwargs)
    if _is_remote(folder):
        return folder, []
    folder = os.path.abspath(os.path.join(folder, base_folder(cls)))
    names = file_names(cls)
    return folder, [name for name in names if not os.path.exists(os.path.join(folder, name))]


def _missing_images(cls: Any, kwargs: dict) -> list[str]:
    """Find one image in the folders of a ``CustomDataset``, which fails without any."""
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
    """Join as MMEngine does; a value that is no path counts as empty."""
    root, path = (os.fspath(p) if isinstance(p, (str, os.PathLike)) else '' for p in (root, path))
    path = os.path.expanduser(path)
    return path if _is_remote(path) else os.path.join(root, path)


def _is_remote(path: str) -> bool:
    return '://' in path
