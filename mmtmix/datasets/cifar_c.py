"""CIFAR-10-C and CIFAR-100-C as their authors publish them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from mmpretrain.registry import DATASETS

from mmtmix.checks import check_choice, check_integer

from .local_dataset import LocalDataset
from .transforms.corrupt import KINDS

LABELS = 'labels.npy'
EXTRA_KINDS = ('gaussian_blur', 'saturate', 'spatter', 'speckle_noise')
"""Kinds of the published sets for the choice of settings, which do not count in results."""


@DATASETS.register_module()
class CIFARC(LocalDataset):
    """Corrupted test images of CIFAR-10 or CIFAR-100 (Hendrycks and Dietterich, 2019).

    The folder holds ``labels.npy`` and a file such as ``fog.npy`` per kind: the 10,000 test
    images at severity 1, then at severity 2, up to 5. An item is ``dict(img, gt_label)`` with
    ``img`` uint8 (32, 32, 3) in RGB, as of MMPretrain's CIFAR. The file is mapped, so one
    severity takes 31 MB of memory.

    Args:
        data_root: Folder of the files, ``CIFAR-10-C`` or ``CIFAR-100-C``.
        kind: Kind of corruption, one of the 15 kinds or of the 4 extra ones.
        severity: Strength, 1 to 5; None for all five.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset`` (``pipeline``, ``metainfo``,
            ``indices``, ...); not ``ann_file`` or ``data_prefix``, which have no meaning here.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If an argument is invalid, or a file is not as published.
    """

    channel_order = 'rgb'
    root_cure = 'it is the folder of labels.npy and KIND.npy'
    data_advice = (
        'Fetch CIFAR-10-C.tar from https://zenodo.org/records/2535967 (MD5 '
        '56bf5dcef84df0e2308c6dcbcbbd8499) or CIFAR-100-C.tar from '
        'https://zenodo.org/records/3555552 (MD5 11f0ed0f1191edbf9fa23466ae6021d3), both CC BY '
        '4.0, and unpack it; {folder} is the folder that it makes.'
    )

    def __init__(
        self, data_root: str | os.PathLike, kind: str, severity: int | None = None, **kwargs: Any
    ) -> None:
        check_choice('kind', kind, (*KINDS, *EXTRA_KINDS))
        if severity is not None:
            check_integer('severity', severity, 1, 5)
        self.kind, self.severity = kind, severity
        super().__init__(data_root, **kwargs)

    @classmethod
    def missing_files(
        cls,
        data_root: str | os.PathLike | None = None,
        split: str | None = None,
        kind: str = '',
        **kwargs: Any,
    ) -> tuple[str, list[str]]:
        """Return which of the two files are missing, without reading them.

        Args:
            data_root: Folder of the files.
            split: Not used; the set has no splits.
            kind: Kind of corruption.
            **kwargs: Other arguments of the constructor, unused.

        Returns:
            The absolute folder and the missing names.
        """
        root = cls.find_root(data_root)
        names = (LABELS, f'{kind}.npy')
        return str(root), [name for name in names if not (root / name).is_file()]

    def load_data_list(self) -> list[dict]:
        """List the images of the severity.

        Returns:
            One ``dict(img, gt_label)`` per image.

        Raises:
            FileNotFoundError: If a file is missing.
            ValueError: If a file is damaged, or the two do not belong together.
        """
        folder = self.require_files(kind=self.kind)
        labels = _read(folder / LABELS)
        images = _read(folder / f'{self.kind}.npy')
        if images.shape != (len(labels), 32, 32, 3) or len(labels) % 5 or labels.ndim != 1:
            raise ValueError(
                f'{folder / self.kind}.npy holds {images.shape} and {LABELS} {labels.shape}; '
                'published are (50000, 32, 32, 3) and (50000,). Unpack the archive again'
            )
        size = len(labels) // 5
        part = slice(None)
        if self.severity is not None:
            part = slice(size * (self.severity - 1), size * self.severity)
        return [
            dict(img=image, gt_label=int(label))
            for image, label in zip(np.array(images[part]), labels[part], strict=True)
        ]


def _read(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode='r', allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f'{path} is damaged ({error}); unpack the archive again') from error
