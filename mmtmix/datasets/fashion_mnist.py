"""Fashion-MNIST from its official IDX files, or from the subset bundled with the package."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmpretrain.datasets import BaseDataset, FashionMNIST
from mmpretrain.registry import DATASETS

from mmtmix.checks import check_choice, check_path

from .preparing import own_advice

BUNDLED_ROOT = Path(__file__).parent / 'data' / 'fashion_mnist_mini'
"""Folder of the bundled subset; `tools/make_fashion_mnist_subset.py` makes it."""

IMAGE_SHAPE = (28, 28)
NUM_CLASSES = 10

# Un-gzipped official names, as (images, labels).
IDX_FILES: dict[str, tuple[str, str]] = {
    'train': ('train-images-idx3-ubyte', 'train-labels-idx1-ubyte'),
    'test': ('t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'),
}

_UINT8 = 0x08  # the IDX format's code for the element type
# a file that unpacks to more than this many times its size, and this much, is a bomb
_MOST_TIMES, _MOST_BYTES = 20, 64 << 20


def find_idx_file(root: str | os.PathLike, name: str) -> Path | None:
    """Find an IDX file by its official name, gzipped or plain.

    Args:
        root: The folder to look in.
        name: The official name without ``.gz``.

    Returns:
        The path, or None when neither form is there. The gzipped form wins: its checksum tells
        a damaged file from a good one.
    """
    for candidate in (Path(root, f'{name}.gz'), Path(root, name)):
        if candidate.is_file():
            return candidate
    return None


def read_idx(path: str | os.PathLike, item_shape: Sequence[int] = ()) -> np.ndarray:
    """Read an IDX file of bytes, gzipped if its name ends in ``.gz``.

    Args:
        path: The file.
        item_shape: The shape every item must have: ``()`` for labels, ``(28, 28)`` for images.

    Returns:
        A read-only uint8 array of shape ``(N, *item_shape)``.

    Raises:
        ValueError: If the file is damaged, is no such IDX file, or is shorter or longer than its
            header says.
    """
    path = Path(path)
    try:
        data = _unzip(path) if path.suffix == '.gz' else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f'{path} is a damaged gzip file ({error}); fetch it again.') from error

    ndim = 1 + len(item_shape)
    magic = bytes((0, 0, _UINT8, ndim))
    if data[:4] != magic:
        raise ValueError(
            f'{path} is not an IDX file of bytes in {ndim} dimension(s): it starts with '
            f'0x{data[:4].hex()}, expected 0x{magic.hex()}. Check that images and labels are '
            'under their official names.'
        )
    header_size = 4 + 4 * ndim
    if len(data) < header_size:
        raise ValueError(f'{path} ends inside its header; fetch it again.')
    count, *shape = (int(size) for size in np.frombuffer(data[4:header_size], dtype='>u4'))
    if tuple(shape) != tuple(item_shape):
        raise ValueError(f'{path} holds items of shape {tuple(shape)}, expected {item_shape}.')
    expected = count * int(np.prod(item_shape, dtype=np.int64))
    if len(data) - header_size != expected:
        raise ValueError(
            f'{path} announces {count} items ({expected} bytes) but holds '
            f'{len(data) - header_size} bytes; it is truncated or damaged, fetch it again.'
        )
    return np.frombuffer(data, dtype=np.uint8, offset=header_size).reshape(count, *item_shape)


def _unzip(path: Path) -> bytes:
    most = _MOST_TIMES * path.stat().st_size + _MOST_BYTES
    with gzip.open(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(
            f'{path} unpacks to more than {most >> 20} MiB, which no set of images does; '
            'fetch the official file.'
        )
    return data


def read_split(root: str | os.PathLike, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Read the images and labels of one split.

    Args:
        root: The folder of the IDX files, which must be there.
        split: ``'train'`` or ``'test'``.

    Returns:
        Images, uint8 ``(N, 28, 28)``, and labels, uint8 ``(N,)`` in [0, 9]; both read-only.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is damaged or the two do not belong together.
    """
    check_choice('split', split, tuple(IDX_FILES))
    paths = []
    for name in IDX_FILES[split]:
        path = find_idx_file(root, name)
        if path is None:
            raise FileNotFoundError(f'{Path(root, name).absolute()} is missing, gzipped or plain.')
        paths.append(path)
    images = read_idx(paths[0], IMAGE_SHAPE)
    labels = read_idx(paths[1])
    if len(images) != len(labels):
        raise ValueError(
            f'{paths[0]} holds {len(images)} images but {paths[1]} holds {len(labels)} labels; '
            'they are not from the same set.'
        )
    if labels.size and labels.max() >= NUM_CLASSES:
        raise ValueError(
            f'{paths[1]} holds the label {labels.max()}; Fashion-MNIST has 0 to {NUM_CLASSES - 1}.'
        )
    return images, labels


@DATASETS.register_module()
class FashionMNISTIdx(BaseDataset):
    """`Fashion-MNIST <https://github.com/zalandoresearch/fashion-mnist>`_ that needs no download.

    It differs from MMPretrain's ``FashionMNIST`` in three points: ``split`` alone selects the
    images (there ``split='test'`` without ``test_mode=True`` gives the training images), the files
    are read gzipped as they are distributed, and nothing is ever downloaded.

    An item is ``dict(img, gt_label)`` with ``img`` uint8 ``(28, 28)`` in [0, 255], or
    ``(28, 28, 3)``, and ``gt_label`` an int, so a pipeline starts without a loading transform.

    Args:
        data_root: A folder with the official IDX files, gzipped or plain. Defaults to None: the
            bundled subset of 5,000 training and 2,000 test images, ordered so that every prefix
            (``indices=1000``) is balanced by class.
        split: ``'train'`` or ``'test'``. Defaults to ``'train'``.
        channels: 1, or 3 to repeat the grey channel for a network of colour images.
        metainfo: Overrides the dataset's meta information. Defaults to None.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset`` (``pipeline``, ``indices``,
            ``serialize_data``, ``test_mode``, ``lazy_init``, ...); not ``ann_file`` or
            ``data_prefix``, which have no meaning here.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If an argument is invalid, or a file is damaged.
    """

    METAINFO = FashionMNIST.METAINFO

    channel_order = 'rgb'  # they are grey, for which any order holds

    data_advice = (
        'Leave data_root unset for the bundled subset, or set it to a folder with the official '
        'files: python tools/prepare_data.py fashion_mnist --root {folder} fetches them there '
        "(or 'apt-get install dataset-fashion-mnist' puts them in "
        '/usr/share/datasets/fashion-mnist, on Debian and Ubuntu). '
        'The run itself downloads nothing.'
    )

    def __init__(
        self,
        data_root: str | os.PathLike | None = None,
        split: str = 'train',
        channels: int = 1,
        metainfo: dict | None = None,
        **kwargs,
    ) -> None:
        unused = sorted({'ann_file', 'data_prefix', 'download'} & kwargs.keys())
        if unused:
            raise ValueError(
                f'FashionMNISTIdx does not take {", ".join(unused)}; give only the folder of the '
                'IDX files as data_root. A config that inherits from a FashionMNIST dataset needs '
                '_delete_=True.'
            )
        check_choice('channels', channels, (1, 3), cure='3 repeats the grey')
        self.split = _checked_split(split)
        self.channels = channels
        super().__init__(
            ann_file='', metainfo=metainfo, data_root=_resolve_root(data_root), **kwargs
        )

    @classmethod
    def missing_files(
        cls,
        data_root: str | os.PathLike | None = None,
        split: str = 'train',
        **kwargs,
    ) -> tuple[str, list[str]]:
        """Tell which files are missing, without reading any (see :func:`check_data`).

        Args:
            data_root: As in the constructor.
            split: As in the constructor. Only this split's files are asked for.
            **kwargs: The constructor's other arguments, unused.

        Returns:
            The absolute folder and the missing names.

        Raises:
            ValueError: If ``data_root`` or ``split`` is invalid.
        """
        root = _resolve_root(data_root)
        names = IDX_FILES[_checked_split(split)]
        return root, [f'{name}.gz' for name in names if find_idx_file(root, name) is None]

    def load_data_list(self) -> list[dict]:
        """Read the split's images and labels.

        Returns:
            One ``dict(img, gt_label)`` an image.

        Raises:
            FileNotFoundError: If files are missing.
            ValueError: If a file is damaged.
        """
        root, missing = self.missing_files(self.data_root, self.split)
        if missing:
            official = [f'{name}.gz' for pair in IDX_FILES.values() for name in pair]
            raise FileNotFoundError(
                f'data_root {root} lacks {", ".join(missing)} for split={self.split!r}. Expected '
                f'there, gzipped or plain: {", ".join(official)}. '
                f'{own_advice(type(self), root)}'
            )
        images, labels = read_split(root, self.split)
        if self.channels > 1:
            images = np.repeat(images[..., None], self.channels, axis=-1)
        return [
            {'img': img, 'gt_label': int(label)} for img, label in zip(images, labels, strict=True)
        ]

    def extra_repr(self) -> list[str]:
        """Describe the dataset's source for ``repr``.

        Returns:
            The lines to add.
        """
        return [f'Folder: \t{self.data_root}', f'Split: \t{self.split}']


def _checked_split(split: str) -> str:
    """Return ``split``, or raise ValueError if there is none of that name."""
    check_choice('split', split, tuple(IDX_FILES))
    return split


def _resolve_root(data_root: str | os.PathLike | None) -> str:
    """Return the absolute folder that ``data_root`` stands for."""
    if data_root is None:
        return str(BUNDLED_ROOT)
    check_path('data_root', data_root, cure='None takes the bundled subset')
    return os.path.abspath(os.path.expanduser(data_root))
