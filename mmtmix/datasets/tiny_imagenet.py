"""Tiny-ImageNet in the layout of its official archive."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS

from mmtmix.checks import check_choice, check_path

from .preparing import own_advice

FOLDER = 'tiny-imagenet-200'
SPLITS = ('train', 'val')


@DATASETS.register_module()
class TinyImageNet(BaseDataset):
    """Tiny-ImageNet: 200 classes of ImageNet, 100,000 training and 10,000 validation images.

    It reads the official archive ``tiny-imagenet-200.zip`` as it unpacks::

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
        data_root: The folder that holds ``tiny-imagenet-200``, or that folder itself.
        split: ``'train'`` or ``'val'``. Defaults to ``'train'``.
        metainfo: Overrides the meta information. Defaults to None.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset`` (``pipeline``, ``indices``,
            ``test_mode``, ...); not ``ann_file`` or ``data_prefix``, which have no meaning here.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If an argument is invalid, or a file does not say what it should.
    """

    data_advice = (
        'python tools/prepare_data.py tiny_imagenet --root {folder} downloads and unpacks it, or '
        'unpacks a tiny-imagenet-200.zip that is there.'
    )

    def __init__(
        self,
        data_root: str | os.PathLike,
        split: str = 'train',
        metainfo: dict | None = None,
        **kwargs,
    ) -> None:
        unused = sorted({'ann_file', 'data_prefix'} & kwargs.keys())
        if unused:
            raise ValueError(
                f'TinyImageNet does not take {", ".join(unused)}; give only the folder that holds '
                f'{FOLDER} as data_root, and a split.'
            )
        self.split = _checked_split(split)
        super().__init__(
            ann_file='', metainfo=metainfo, data_root=str(_find_folder(data_root)), **kwargs
        )

    @classmethod
    def missing_files(
        cls, data_root: str | os.PathLike, split: str = 'train', **kwargs
    ) -> tuple[str, list[str]]:
        """Tell which files are missing, without reading an image (see ``check_data``).

        Args:
            data_root: As in the constructor.
            split: As in the constructor. Only this split's files are asked for.
            **kwargs: The constructor's other arguments, unused.

        Returns:
            The absolute folder and the missing names.

        Raises:
            ValueError: If ``data_root`` or ``split`` is invalid.
        """
        folder = _find_folder(data_root)
        names = ['wnids.txt', 'words.txt']
        names += ['train'] if _checked_split(split) == 'train' else []
        names += ['val/val_annotations.txt', 'val/images'] if split == 'val' else []
        missing = [name for name in names if not (folder / name).exists()]
        if split == 'train' and not missing:
            missing = [
                f'train/{wnid}/images'
                for wnid in read_wnids(folder)
                if not (folder / 'train' / wnid / 'images').is_dir()
            ]
        if len(missing) > 5:
            missing[4:] = [f'and {len(missing) - 4} others']
        return str(folder), missing

    def load_data_list(self) -> list[dict]:
        """List the split's images.

        Returns:
            One ``dict(img_path, gt_label)`` an image, in the order of the classes (``'train'``) or
            of ``val_annotations.txt``.

        Raises:
            FileNotFoundError: If files are missing.
            ValueError: If a file does not say what it should, or images are missing.
        """
        folder, missing = self.missing_files(self.data_root, self.split)
        if missing:
            raise FileNotFoundError(
                f'data_root {folder} lacks {", ".join(missing)} for split={self.split!r}. '
                f'{own_advice(type(self), folder)}'
            )
        wnids = read_wnids(folder)
        names = _read_words(Path(folder, 'words.txt'))
        self._metainfo.setdefault('classes', tuple(names.get(wnid, wnid) for wnid in wnids))
        labels = {wnid: label for label, wnid in enumerate(wnids)}
        if self.split == 'train':
            return _list_train(Path(folder, 'train'), labels)
        return _list_val(Path(folder, 'val'), labels)

    def extra_repr(self) -> list[str]:
        """Describe the data set's source for ``repr``.

        Returns:
            The lines to add.
        """
        return [f'Folder: \t{self.data_root}', f'Split: \t{self.split}']


def read_wnids(folder: str | os.PathLike) -> list[str]:
    """Read the WordNet ids of the classes, in alphabetical order: the order of the labels.

    Args:
        folder: The folder ``tiny-imagenet-200``.

    Returns:
        The ids.

    Raises:
        ValueError: If ``wnids.txt`` is empty or names a class twice.
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
    """List ``train/<wnid>/images``, where every class has as many images."""
    items = []
    counts = {}
    for wnid, label in labels.items():
        names = sorted(os.listdir(folder / wnid / 'images'))
        # '._x.JPEG' is what macOS puts beside x.JPEG
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


def _checked_split(split: str) -> str:
    """Return ``split``, or raise ValueError if there is none of that name."""
    cure = "the test images have no labels, and papers report 'val'" if split == 'test' else ''
    check_choice('split', split, SPLITS, cure=cure)
    return split


def _find_folder(data_root: str | os.PathLike) -> Path:
    """Return the absolute folder ``tiny-imagenet-200``, which ``data_root`` holds or is."""
    check_path('data_root', data_root, cure=f'it is the folder that holds {FOLDER}')
    root = Path(os.path.abspath(os.path.expanduser(data_root)))
    return root if (root / 'wnids.txt').is_file() or root.name == FOLDER else root / FOLDER
