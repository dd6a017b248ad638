"""Fashion-MNIST from its official IDX files, or from the subset bundled with the package."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from mmpretrain.datasets import FashionMNIST
from mmpretrain.registry import DATASETS

from mmtmix.checks import check_choice

from .advice import prepare_command
from .local_dataset import LocalDataset
from .sources import IdxFile, find_idx_file, read_idx
from .sources.table import FASHION_MNIST

BUNDLED_ROOT = Path(__file__).parent / 'data' / 'fashion_mnist_mini'
"""Folder of the bundled subset; `tools/make_fashion_mnist_subset.py` makes it."""

NUM_CLASSES = FASHION_MNIST.classes

# un-gzipped official names, as (images, labels)
IDX_FILES: dict[str, tuple[str, ...]] = {
    split: tuple(item.name for item in items if isinstance(item, IdxFile))
    for split, items in FASHION_MNIST.splits.items()
}


def read_split(root: str | os.PathLike, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Read the images and labels of one split.

    Args:
        root: Folder of the IDX files.
        split: Name of the split, ``'train'`` or ``'test'``.

    Returns:
        Images, uint8 ``(N, 28, 28)``, and labels, uint8 ``(N,)`` in [0, 9]; both read-only.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a file is damaged, or the two do not belong together.
    """
    check_choice('split', split, tuple(IDX_FILES))
    paths, arrays = [], []
    for item in FASHION_MNIST.splits[split]:
        if isinstance(item, IdxFile):
            path = find_idx_file(root, item.name)
            if path is None:
                missing = Path(root, item.name).absolute()
                raise FileNotFoundError(f'{missing} is missing, gzipped or plain.')
            paths.append(path)
            arrays.append(read_idx(path, item.item_shape))
    images, labels = arrays
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
class FashionMNISTIdx(LocalDataset):
    """`Fashion-MNIST <https://github.com/zalandoresearch/fashion-mnist>`_ that needs no download.

    It differs from MMPretrain's ``FashionMNIST`` in three points. ``split`` alone selects the
    images, while there ``split='test'`` without ``test_mode=True`` gives the training images. The
    files are read gzipped, as they are distributed. Nothing is ever downloaded.

    An item is ``dict(img, gt_label)`` with ``img`` uint8 ``(28, 28)`` in [0, 255], or
    ``(28, 28, 3)``, and ``gt_label`` an int, so a pipeline starts without a loading transform.

    Args:
        data_root: Folder with the official IDX files, gzipped or plain. Defaults to None: the
            bundled subset of 5,000 training and 2,000 test images, ordered so that every prefix
            (``indices=1000``) is balanced by class.
        split: Name of the split, ``'train'`` or ``'test'``. Defaults to ``'train'``.
        channels: Number of channels: 1, or 3 to repeat the grey for a network of colour images.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset`` (``pipeline``, ``metainfo``,
            ``indices``, ``serialize_data``, ``test_mode``, ``lazy_init``, ...); not ``ann_file``
            or ``data_prefix``, which have no meaning here.

    Raises:
        FileNotFoundError: If files are missing.
        ValueError: If an argument is invalid, or a file is damaged.
    """

    METAINFO = FashionMNIST.METAINFO

    channel_order = 'rgb'  # images are grey, for which any order holds

    source = FASHION_MNIST
    refused = ('ann_file', 'data_prefix', 'download')
    refusal_cure = (
        'give only the folder of the IDX files as data_root. A config that inherits from a '
        'FashionMNIST dataset needs _delete_=True'
    )
    root_cure = 'None takes the bundled subset'
    data_advice = (
        'Leave data_root unset for the bundled subset, or set it to a folder with the official '
        f'files, gzipped or plain ({", ".join(file.name for file in FASHION_MNIST.sources)}): '
        f'{prepare_command(FASHION_MNIST, "{folder}")} fetches them there '
        "(or 'apt-get install dataset-fashion-mnist' puts them in "
        '/usr/share/datasets/fashion-mnist, on Debian and Ubuntu). '
        'The run itself downloads nothing.'
    )

    def __init__(
        self,
        data_root: str | os.PathLike | None = None,
        split: str = 'train',
        channels: int = 1,
        **kwargs: Any,
    ) -> None:
        check_choice('channels', channels, (1, 3), cure='3 repeats the grey')
        self.channels = channels
        super().__init__(data_root, split, **kwargs)

    @classmethod
    def find_root(cls, data_root: str | os.PathLike | None) -> Path:
        """Return the absolute folder of the files; None stands for the bundled subset.

        Args:
            data_root: Folder of the files, as in the constructor.
        """
        return BUNDLED_ROOT if data_root is None else super().find_root(data_root)

    def load_data_list(self) -> list[dict]:
        """Read the images and labels of the split.

        Returns:
            One ``dict(img, gt_label)`` per image.

        Raises:
            FileNotFoundError: If files are missing.
            ValueError: If a file is damaged.
        """
        images, labels = read_split(self.require_files(), self.split or '')
        if self.channels > 1:
            images = np.repeat(images[..., None], self.channels, axis=-1)
        return [
            {'img': img, 'gt_label': int(label)} for img, label in zip(images, labels, strict=True)
        ]
