"""Tiny-ImageNet in the layout of its official archive."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

from mmpretrain.registry import DATASETS

from mmtmix.checks import check_choice

from .advice import own_advice, prepare_command
from .local_dataset import LocalDataset
from .sources.table import TINY_IMAGENET

FOLDER = TINY_IMAGENET.folder


@DATASETS.register_module()
class TinyImageNet(LocalDataset):
    """Tiny-ImageNet: 200 classes of ImageNet, 100,000 training and 10,000 validation images.

    This reads the official archive ``tiny-imagenet-200.zip`` as it unpacks::

        tiny-imagenet-200
        ├── wnids.txt
        ├── words.txt
        ├── train/n01443537/images/n01443537_0.JPEG ...
        └── val
            ├── val_annotations.txt
            └── images/val_0.JPEG ...

    An item is ``dict(img_path, gt_label)``, so a pipeline starts by loading the 64x64 image, which
    is grey in some files. Labels count the WordNet ids in alphabetical order, as torchvision's
    ``ImageFolder`` does, and therefore as public checkpoints do; ``wnids.txt`` has another order.
    Class names come from ``words.txt``. The archive's test images have no labels: papers report
    the accuracy on ``'val'``.

    Args:
        data_root: Folder that holds ``tiny-imagenet-200``, or that folder itself.
        split: Name of the split, ``'train'`` or ``'val'``. Defaults to ``'train'``.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset`` (``pipeline``, ``metainfo``,
            ``indices``, ``test_mode``, ...); not ``ann_file`` or ``data_prefix``, which have no
            meaning here.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If an argument is invalid, or a list is not the official one.
    """

    source = TINY_IMAGENET
    refusal_cure = f'give only the folder that holds {FOLDER} as data_root, and a split'
    root_cure = f'it is the folder that holds {FOLDER}'
    data_advice = (
        f'{prepare_command(TINY_IMAGENET, "{folder}")} downloads and unpacks it, or unpacks a '
        f'{FOLDER}.zip that is there.'
    )

    def __init__(self, data_root: str | os.PathLike, split: str = 'train', **kwargs: Any) -> None:
        super().__init__(data_root, split, **kwargs)

    @classmethod
    def check_split(cls, split: str | None) -> None:
        """Refuse a split that does not exist.

        Args:
            split: Name of the split.

        Raises:
            ValueError: If there is no split of that name.
        """
        cure = "the test images have no labels, and papers report 'val'" if split == 'test' else ''
        check_choice('split', split, cls.splits, cure=cure)

    @classmethod
    def find_root(cls, data_root: str | os.PathLike | None) -> Path:
        """Return the absolute folder ``tiny-imagenet-200``, which ``data_root`` holds or is.

        Args:
            data_root: Folder of the files, as in the constructor.
        """
        root = super().find_root(data_root)
        return root if (root / 'wnids.txt').is_file() or root.name == FOLDER else root / FOLDER

    def load_data_list(self) -> list[dict]:
        """List the images of the split.

        Returns:
            One ``dict(img_path, gt_label)`` per image, in the order of the classes (``'train'``)
            or of ``val_annotations.txt``.

        Raises:
            FileNotFoundError: If files are missing.
            ValueError: If a list is not the official one, or images are missing.
        """
        folder = self.require_files()
        wnids = read_wnids(folder)
        names = _read_words(Path(folder, 'words.txt'))
        self._metainfo.setdefault('classes', tuple(names.get(wnid, wnid) for wnid in wnids))
        labels = {wnid: label for label, wnid in enumerate(wnids)}
        if self.split == 'train':
            return _list_train(Path(folder, 'train'), labels)
        return _list_val(Path(folder, 'val'), labels)


def read_wnids(folder: str | os.PathLike) -> list[str]:
    """Read the WordNet ids of the classes, in alphabetical order: the order of the labels.

    Args:
        folder: Folder ``tiny-imagenet-200``.

    Raises:
        ValueError: If ``wnids.txt`` is empty or lists a class twice.
    """
    path = Path(folder, 'wnids.txt')
    wnids = path.read_text(encoding='utf-8').split()
    if not wnids or len(set(wnids)) != len(wnids):
        raise ValueError(
            f'{path} holds {len(wnids)} WordNet ids, {len(set(wnids))} different ones; it is not '
            'the official file, unpack it again.'
        )
    return sorted(wnids)


def _read_words(path: Path) -> dict[str, str]:
    """Read the names by WordNet id, separated by a tab; it lists all of WordNet."""
    lines = path.read_text(encoding='utf-8').splitlines()
    return {wnid: names for wnid, tab, names in (line.partition('\t') for line in lines) if tab}


def _list_train(folder: Path, labels: dict[str, int]) -> list[dict]:
    """List ``train/<wnid>/images``, where every class has the same number of images."""
    items = []
    counts = {}
    for wnid, label in labels.items():
        names = sorted(os.listdir(folder / wnid / 'images'))
        # macOS puts '._x.JPEG' beside x.JPEG
        names = [name for name in names if name.endswith('.JPEG') and not name.startswith('._')]
        counts[wnid] = len(names)
        items += [
            dict(img_path=str(folder / wnid / 'images' / name), gt_label=label) for name in names
        ]
    ((usual, _),) = Counter(counts.values()).most_common(1)
    uneven = [f'{wnid}: {count}' for wnid, count in counts.items() if count != usual or not count]
    if uneven:
        raise ValueError(
            f'{folder} is not complete: most classes have {usual} images, but {len(uneven)} have '
            f'not ({", ".join(uneven[:5])}). {own_advice(TinyImageNet, folder.parent)}'
        )
    return items


def _list_val(folder: Path, labels: dict[str, int]) -> list[dict]:
    """List ``val/images`` by ``val_annotations.txt``: name, WordNet id and a box, by tabs."""
    path = folder / 'val_annotations.txt'
    there = set(os.listdir(folder / 'images'))
    items, absent = [], []
    for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
        name, _, rest = line.partition('\t')
        wnid = rest.partition('\t')[0]
        if wnid not in labels:
            raise ValueError(
                f'{path}, line {number}: {wnid!r} is none of the {len(labels)} classes of '
                'wnids.txt; unpack the archive again.'
            )
        if name not in there:
            absent.append(name)
        items.append(dict(img_path=str(folder / 'images' / name), gt_label=labels[wnid]))
    if absent or not items:
        raise ValueError(
            f'{folder / "images"} is not complete: {len(absent)} of the {len(items)} images in '
            f'{path.name} are missing ({", ".join(absent[:3])}). '
            f'{own_advice(TinyImageNet, folder.parent)}'
        )
    return items
