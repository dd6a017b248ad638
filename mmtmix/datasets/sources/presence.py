"""Quick checks of whether files are there, for a training that is about to start.

MMPretrain itself reads the lists of images while it builds a data set, and finds a missing image
in the middle of an epoch.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .idx_files import find_idx_file
from .layouts import Content, DataSet, Files, IdxFile, Listed
from .table import IMAGENET

_MOST_LOOKUPS = 10_000  # so that ImageNet's training images take no longer than the other sets


def missing_contents(contents: Iterable[Content], folder: str | os.PathLike) -> list[str]:
    """Return what is missing or damaged, by names alone: no image is opened.

    Args:
        contents: Contents that should be in the folder. Of many files it is only checked that
            their folder is not empty; of listed ones, that each of at most 10,000 is there.
        folder: The data set's folder.

    Returns:
        Paths below ``folder``, each with a remark if it is there but empty or damaged.
    """
    missing: list[str] = []
    for item in contents:
        if isinstance(item, IdxFile):
            missing += [] if find_idx_file(folder, item.name) else [item.pattern]
        elif isinstance(item, Listed):
            missing += _missing_listed(item, folder)
        else:
            missing += _missing_files(item, folder)
    return list(dict.fromkeys(missing))


def missing_of_split(
    data_set: DataSet, folder: str, split: str | None, settings: Mapping[str, Any]
) -> list[str]:
    """Return what a split of one of MMPretrain's data sets lacks.

    Args:
        data_set: The data set.
        folder: Folder of the data set, which exists.
        split: Name of the split; None for the default. MMPretrain itself refuses unknown ones.
        settings: Arguments of MMPretrain's class.

    Returns:
        As :func:`missing_contents`.
    """
    if data_set is IMAGENET:
        return _missing_imagenet(folder, settings)
    contents = data_set.splits.get(split or next(iter(data_set.splits), ''), ())
    other = data_set.instead
    if contents and other and os.path.isfile(os.path.join(folder, other[0].pattern)):
        contents = other
    return missing_contents(contents, folder)


def _missing_files(item: Files, root: str | os.PathLike) -> list[str]:
    """Find one file by its name, or see that the folder of several is not empty."""
    if '*' not in item.pattern:
        return [] if os.path.isfile(os.path.join(root, item.pattern)) else [item.pattern]
    return _missing_folder(os.path.dirname(item.pattern), root)


def _missing_folder(name: str, root: str | os.PathLike) -> list[str]:
    path = os.path.join(root, name)
    if not os.path.isdir(path):
        return [name or str(root)]
    return [f'{name or root} (empty)'] if _is_empty(path) else []


def _missing_listed(item: Listed, root: str | os.PathLike) -> list[str]:
    """Read a list and find the images on it."""
    path = Path(root, item.path)
    missing = [] if path.is_file() else [item.path]
    # the part of the path that all images share
    missing += _missing_folder(os.path.dirname(item.image.partition('{')[0]), root)
    if missing:
        return missing
    try:
        names = item.read_names(path)
    except Exception as error:  # each format has errors of its own
        return [f'{item.path} (damaged: {error})']
    if not names:
        return [f'{item.path} (empty)']
    probed = [item.image.format(name) for name in names[:: len(names) // _MOST_LOOKUPS + 1]]
    absent = [image for image in probed if not os.path.exists(os.path.join(root, image))]
    more = f' and {len(absent) - 1} more of {len(probed)} looked for' if len(absent) > 1 else ''
    return [f'{absent[0]}{more}'] if absent else []


def _is_empty(folder: str) -> bool:
    with os.scandir(folder) as entries:
        return next(entries, None) is None


def _missing_imagenet(root: str, settings: Mapping[str, Any]) -> list[str]:
    """Check either layout of ImageNet: a list of the images, or a folder for each class."""
    split, prefix = settings.get('split') or '', settings.get('data_prefix') or ''
    prefix = (prefix.get('img_path') or '') if isinstance(prefix, Mapping) else prefix
    images, listed = os.path.expanduser(prefix or split), settings.get('ann_file')
    if '://' in images or '://' in (listed or ''):
        return []
    if not listed and split and os.path.isfile(os.path.join(root, 'meta', f'{split}.txt')):
        listed = f'meta/{split}.txt'
    labelled = settings.get('with_label', True) and split != 'test'
    if listed:
        line = r'(.+) \d+' if labelled else r'(.+)'
        item = Listed(os.path.expanduser(listed), 1, os.path.join(images, '{}'), line=line)
        return _missing_listed(item, root)
    missing = _missing_folder(images, root)
    return missing if missing or not labelled else _lacking_classes(root, images, settings)


def _lacking_classes(root: str, images: str, settings: Mapping[str, Any]) -> list[str]:
    """Return a line if a class has no folder, or an empty one."""
    classes = settings.get('classes') or (settings.get('metainfo') or {}).get('classes')
    with os.scandir(os.path.join(root, images)) as entries:
        folders = sorted(entry.name for entry in entries if entry.is_dir())
    # MMPretrain reads a file of classes itself
    is_file = isinstance(classes, str)
    count = max(len(folders), 1) if is_file else len(classes or ()) or IMAGENET.classes
    if len(folders) != count:
        return [f'{images or root} ({len(folders)} of {count} class folders)']
    empty = [name for name in folders if _is_empty(os.path.join(root, images, name))]
    more = f' and {len(empty) - 1} more' if len(empty) > 1 else ''
    return [f'{os.path.join(images, empty[0])} (empty){more}'] if empty else []
