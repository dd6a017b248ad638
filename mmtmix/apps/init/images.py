"""Classes, split, size and statistics of a folder of images."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import mmcv
import numpy as np

# suffixes that MMPretrain's CustomDataset reads
EXTENSIONS = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif')
VAL_NAMES = ('val', 'valid', 'validation')
SIZES = (32, 64, 96, 128, 160, 224)
SAMPLE = 1000

Samples = list[tuple[str, int]]


@dataclass(frozen=True)
class ImageFolder:
    """Images in folders named by their classes.

    Attributes:
        root: Path of the folder.
        classes: Names of the classes, sorted; the label of an image is an index into them.
        train: Training images: paths below ``root`` with ``/``, and labels.
        val: Validation images, in the same form.
        val_name: Name of the folder of the validation images; None where they are split from the
            others.
    """

    root: Path
    classes: tuple[str, ...]
    train: Samples
    val: Samples
    val_name: str | None


def read_folder(root: str | os.PathLike) -> ImageFolder:
    """Find the images of a folder and their classes.

    Args:
        root: Folder with ``train/CLASS`` and ``val/CLASS``, or with ``CLASS`` alone.

    Returns:
        The images in the order of their paths. Without ``val``, a tenth of each class, at least
        one image, is for validation: the first images by the SHA-1 of their paths.

    Raises:
        FileNotFoundError: If there is no such folder, or no image in it.
        ValueError: If there are fewer than two classes, classes of train and val differ, or a
            class has too few images.
    """
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f'DATA_DIR: {str(root)!r} is no folder; give one of images')
    val_name = next((name for name in VAL_NAMES if (root / name).is_dir()), None)
    if (root / 'train').is_dir():
        if val_name is None:
            raise FileNotFoundError(
                f'DATA_DIR: {str(root)!r} has train/ but no val/; add it, or give '
                f'{str(root / "train")!r}, which is then split'
            )
        train, val = read_classes(root / 'train'), read_classes(root / val_name)
        only = sorted(train.keys() ^ val.keys())
        if only:
            raise ValueError(
                f'DATA_DIR: train/ and {val_name}/ in {str(root)!r} must hold the same folders of '
                f'classes, but {len(only)} are in one of them alone: {", ".join(only[:5])}'
            )
        _check_counts(root / 'train', train, 1)
        _check_counts(root / val_name, val, 1)
    else:
        found = read_classes(root)
        _check_counts(root, found, 2)
        train, val = {}, {}
        for name, paths in found.items():
            ordered = sorted(paths, key=lambda path: hashlib.sha1(path.encode()).digest())
            cut = max(1, len(ordered) // 10)
            val[name], train[name] = sorted(ordered[:cut]), sorted(ordered[cut:])
        val_name = None
    prefix, val_prefix = ('train/', f'{val_name}/') if val_name else ('', '')
    samples = _samples(train, prefix), _samples(val, val_prefix)
    return ImageFolder(root, tuple(train), *samples, val_name)


def read_classes(root: Path) -> dict[str, list[str]]:
    """Return the images of each class.

    Args:
        root: Folder whose folders are named by the classes.

    Returns:
        Sorted paths below ``root`` with ``/``, by class, in the order of the names.
    """
    found: dict[str, list[str]] = {}
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        if folder.name.startswith('.'):
            continue
        files = [
            Path(parent, name).relative_to(root).as_posix()
            for parent, _, names in os.walk(folder, followlinks=True)
            for name in names
            if name.lower().endswith(EXTENSIONS)
        ]
        found[folder.name] = sorted(files)
    return found


def measure(folder: ImageFolder, size: int | None) -> tuple[int, list[float], list[float]]:
    """Return the size of the images, and mean and std of the channels of training images.

    Args:
        folder: Images and their classes; about 1,000 training images are read, at equal distances.
        size: Edge in pixels; None chooses it by the median short edge.

    Returns:
        The edge, and mean and std of red, green and blue, in [0, 255].

    Raises:
        ValueError: If a file is no image.
    """
    step = max(1, len(folder.train) // SAMPLE)
    edges, sums, squares = [], [], []
    for path, _ in folder.train[::step]:
        image = mmcv.imread(str(folder.root / path), channel_order='rgb')
        if image is None:
            raise ValueError(f'{str(folder.root / path)!r} is no image; repair or delete it')
        edges.append(min(image.shape[:2]))
        pixels = image.reshape(-1, 3).astype(np.float64)
        sums.append(pixels.mean(0))
        squares.append((pixels**2).mean(0))
    mean = np.mean(sums, 0)
    std = np.sqrt(np.maximum(np.mean(squares, 0) - mean**2, 1.0))
    median = float(np.median(edges))
    chosen = size or next((edge for edge in SIZES if edge >= median), SIZES[-1])
    return chosen, [round(float(x), 2) for x in mean], [round(float(x), 2) for x in std]


def _check_counts(root: Path, found: dict[str, list[str]], least: int) -> None:
    """Refuse a folder without images, with one class, or with a class of too few images."""
    if not any(found.values()):
        raise FileNotFoundError(
            f'DATA_DIR: no image is in the folders of {str(root)!r}; their names must end in '
            f'{" ".join(EXTENSIONS)}, and lie in a folder per class'
        )
    if len(found) < 2:
        raise ValueError(
            f'DATA_DIR: {str(root)!r} holds one class, {next(iter(found))!r}; a classifier needs '
            'two, each with a folder of its own'
        )
    empty = [name for name, paths in found.items() if not paths]
    if empty:
        raise ValueError(
            f'DATA_DIR: no image is in {_named(root, empty)}: it is empty, or none of its files '
            f'ends in {" ".join(EXTENSIONS)}. Add images, convert others such as .heic to .jpg, '
            'or remove the folder if it is no class'
        )
    few = [name for name, paths in found.items() if len(paths) < least]
    if few:
        raise ValueError(
            f'DATA_DIR: a single image is in {_named(root, few)}; each class needs {least}, to '
            'train and to validate on. Add images, or give train/CLASS and val/CLASS'
        )


def _named(root: Path, names: list[str]) -> str:
    """Return the paths of at most five folders, and how many others there are."""
    shown = ', '.join(repr(str(root / name)) for name in names[:5])
    if len(names) == 1:
        return shown
    others = f' and {len(names) - 5} more' if len(names) > 5 else ''
    return f'each of {shown}{others}'


def _samples(classes: dict[str, list[str]], prefix: str) -> Samples:
    return [
        (f'{prefix}{path}', label)
        for label, paths in enumerate(classes.values())
        for path in paths
    ]
