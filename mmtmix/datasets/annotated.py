"""Whether MMPretrain's data sets of image files have their lists, and the images on these.

MMPretrain itself looks at the lists while it builds a data set, and at the images in an epoch.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mat4py
from mmpretrain.datasets import FGVCAircraft, Flowers102, ImageNet, OxfordIIITPet, StanfordCars

_MOST_LOOKUPS = 10_000  # so that ImageNet's training images take no longer than the other sets


@dataclass(frozen=True)
class _Layout:
    """Where a split is, below the data set's folder.

    Attributes:
        lists: Annotation files, that with the names of the images first.
        images: The folder of the images.
        read: Gives the names, below that folder, that the first list has; None where reading
            it takes seconds and the folder is the split's own.
    """

    lists: tuple[str, ...]
    images: str
    read: Callable[[str], Iterable[str]] | None


def missing_annotated(cls: Any, root: str, kwargs: Mapping[str, Any]) -> list[str]:
    """Look for a split's lists and images; those of other classes are left to MMPretrain.

    Args:
        cls: The data set's class.
        root: Its ``data_root``, which exists.
        kwargs: The arguments of its constructor.

    Returns:
        What is missing or damaged, below ``root``.
    """
    if cls is ImageNet:
        return _missing_imagenet(root, kwargs)
    layout, *splits = _SPLITS.get(cls, (None,)) if isinstance(cls, type) else (None,)
    split = kwargs.get('split', next(iter(splits), None))
    # MMPretrain says itself which splits there are
    return _lacks(root, layout(root, split)) if layout and split in splits else []


def _lacks(root: str, layout: _Layout) -> list[str]:
    """Compare a folder with what should be in it."""
    missing = [name for name in layout.lists if not os.path.isfile(os.path.join(root, name))]
    images = os.path.join(root, layout.images)
    if not os.path.isdir(images) or _is_empty(images):
        empty = ' (empty)' if os.path.isdir(images) else ''
        return [*missing, f'{layout.images or root}{empty}']
    if missing or layout.read is None:
        return missing
    first = layout.lists[0]
    try:
        names = [*layout.read(os.path.join(root, first))]
    except Exception as error:  # what a damaged file raises depends on its format
        return [f'{first} (damaged: {error})']
    if not names:
        return [f'{first} (empty)']
    probed = names[:: len(names) // _MOST_LOOKUPS + 1]
    absent = [name for name in probed if not os.path.isfile(os.path.join(images, name))]
    more = f' and {len(absent) - 1} more of {len(probed)} looked for' if len(absent) > 1 else ''
    return [f'{os.path.join(layout.images, absent[0])}{more}'] if absent else []


def _is_empty(folder: str) -> bool:
    with os.scandir(folder) as entries:
        return next(entries, None) is None


def _lines(pattern: str, ending: str = '') -> Callable[[str], Iterable[str]]:
    """Make a reader of text files, the name in each line being what the pattern's group is."""

    def read(path: str) -> Iterable[str]:
        for number, line in enumerate(Path(path).read_text(encoding='utf-8').splitlines(), 1):
            match = re.fullmatch(pattern, line.strip())
            if match is None:
                raise ValueError(f'line {number} is {line!r}')
            yield f'{match[1]}{ending}'

    return read


def _pets(root: str, split: str) -> _Layout:
    # name, class, species and breed
    read = _lines(r'(\S+)\s+\d+\s+\S+\s+\S+', '.jpg')
    return _Layout((f'annotations/{split}.txt',), 'images', read)


def _aircraft(root: str, split: str) -> _Layout:
    read = _lines(r'(\S+)\s+\S.*', '.jpg')
    return _Layout((f'data/images_variant_{split}.txt',), 'data/images', read)


def _flowers(root: str, split: str) -> _Layout:
    fields = dict(train=['trnid'], val=['valid'], test=['tstid']).get(split, ['trnid', 'valid'])

    def read(path: str) -> Iterable[str]:
        content = mat4py.loadmat(path)
        return [f'image_{number:05d}.jpg' for field in fields for number in content[field]]

    return _Layout(('setid.mat', 'imagelabels.mat'), 'jpg', read)


def _cars(root: str, split: str) -> _Layout:
    if os.path.isfile(os.path.join(root, 'cars_annos.mat')):
        return _Layout(('cars_annos.mat',), 'car_ims', None)
    kind = 'test_annos_withlabels' if split == 'test' else 'train_annos'
    return _Layout((f'devkit/cars_{kind}.mat',), f'cars_{split}', None)


_SPLITS: dict[type, tuple] = {
    FGVCAircraft: (_aircraft, 'trainval', 'train', 'val', 'test'),
    Flowers102: (_flowers, 'trainval', 'train', 'val', 'test'),
    OxfordIIITPet: (_pets, 'trainval', 'test'),
    StanfordCars: (_cars, 'train', 'test'),
}
"""How a class lays out a split, and which there are, its default first."""


def _missing_imagenet(root: str, kwargs: Mapping[str, Any]) -> list[str]:
    """Check either layout: a list of the images, or a folder for each class."""
    split, prefix = kwargs.get('split') or '', kwargs.get('data_prefix') or ''
    prefix = (prefix.get('img_path') or '') if isinstance(prefix, Mapping) else prefix
    images, listed = os.path.expanduser(prefix or split), kwargs.get('ann_file')
    if '://' in images or '://' in (listed or ''):
        return []
    if not listed and split and os.path.isfile(os.path.join(root, 'meta', f'{split}.txt')):
        listed = f'meta/{split}.txt'
    labelled = kwargs.get('with_label', True) and split != 'test'
    read = _lines(r'(.+) \d+' if labelled else r'(.+)')
    lists = (os.path.expanduser(listed),) if listed else ()
    missing = _lacks(root, _Layout(lists, images, read if listed else None))
    return missing if missing or listed or not labelled else _lacking_classes(root, images, kwargs)


def _lacking_classes(root: str, images: str, kwargs: Mapping[str, Any]) -> list[str]:
    """Look for a folder with something in it for each class."""
    classes = kwargs.get('classes') or (kwargs.get('metainfo') or {}).get('classes')
    with os.scandir(os.path.join(root, images)) as entries:
        folders = sorted(entry.name for entry in entries if entry.is_dir())
    known = classes or ImageNet.METAINFO['classes']
    # MMPretrain reads a file of classes itself
    count = max(len(folders), 1) if isinstance(known, str) else len(known)
    if len(folders) != count:
        return [f'{images or root} ({len(folders)} of {count} class folders)']
    empty = [name for name in folders if _is_empty(os.path.join(root, images, name))]
    more = f' and {len(empty) - 1} more' if len(empty) > 1 else ''
    return [f'{os.path.join(images, empty[0])} (empty){more}'] if empty else []
