"""Files of MMPretrain's data sets that list their files, and the download of these.

MMPretrain downloads while it builds a data set: without a timeout, and with a barrier for all
ranks. Here one rank downloads with a timeout, by the addresses and checksums that the class has.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urljoin

from mmtmix.utils.files import atomic_path

from .sources import Files, Source, download, unpack, unzip

TIMEOUT = 10.0
"""Seconds without a byte after which a download fails."""

Entries = Sequence[Sequence[str]]  # (file name, MD5) each


@runtime_checkable
class ListsFiles(Protocol):
    """A class that lists its files, as MMPretrain's CIFAR10 and MNIST do.

    Attributes:
        train_list: Name and MD5 of each training file.
        test_list: Name and MD5 of each test file.
    """

    train_list: Entries
    test_list: Entries


@runtime_checkable
class ComesInArchive(ListsFiles, Protocol):
    """A class whose files are in one archive, as those of CIFAR10.

    Attributes:
        url: Address of the archive.
        filename: Name of the archive.
        tgz_md5: MD5 of the archive.
        base_folder: Folder that the archive makes.
        meta: Name (``'filename'``) and ``'md5'`` of the file of class names.
    """

    url: str
    filename: str
    tgz_md5: str
    base_folder: str
    meta: dict[str, str]


@runtime_checkable
class ComesGzipped(ListsFiles, Protocol):
    """A class whose listed files are published gzipped and read plain, as those of MNIST.

    Attributes:
        url_prefix: Address of the folder of the files.
    """

    url_prefix: str


def file_names(cls: ListsFiles) -> list[str]:
    """Return the names under which a class reads its files, of both splits.

    Args:
        cls: Class of a data set.
    """
    names = [entry[0] for entry in (*cls.train_list, *cls.test_list)]
    is_gzipped = isinstance(cls, ComesGzipped)
    return [os.path.splitext(name)[0] for name in names] if is_gzipped else names


def base_folder(cls: Any) -> str:
    """Return the folder below ``data_root`` that a class reads; empty if it is that itself.

    Args:
        cls: Class of a data set.
    """
    return cls.base_folder if isinstance(cls, ComesInArchive) else ''


def address(cls: Any) -> str:
    """Return the address that a class publishes for its files; empty if there is none.

    Args:
        cls: Class of a data set.
    """
    if isinstance(cls, ComesInArchive):
        return cls.url
    return cls.url_prefix if isinstance(cls, ComesGzipped) else ''


def download_listed(cls: ListsFiles, root: str | os.PathLike) -> None:
    """Download the files of a class.

    Args:
        cls: Class of a data set.
        root: Folder of the archive or of the files.

    Raises:
        ConnectionError: If the server cannot be reached, refuses, or breaks off.
        OSError: If the disk is full, the folder can't be written to and the like.
        ValueError: If a file is damaged, or the class publishes no addresses.
    """
    root = Path(root)
    if isinstance(cls, ComesInArchive):
        listed = [*cls.train_list, *cls.test_list, [cls.meta['filename'], cls.meta['md5']]]
        gives = tuple(Files(f'{cls.base_folder}/{name}', md5=md5) for name, md5 in listed)
        source = Source(cls.filename, gives, cls.tgz_md5, cls.url)
        print(f'Downloading {cls.url}', flush=True)
        download(cls.url, root / cls.filename, cls.tgz_md5, TIMEOUT)
        unpack(root / cls.filename, source, root)
    elif isinstance(cls, ComesGzipped):
        for name, md5 in (*cls.train_list, *cls.test_list):
            url = urljoin(cls.url_prefix, name)
            print(f'Downloading {url}', flush=True)
            download(url, root / name, md5, TIMEOUT)
            with atomic_path((root / name).with_suffix('')) as temporary:
                temporary.write_bytes(unzip(root / name))
    else:
        raise ValueError(
            f"{cls} has neither the url and tgz_md5 of MMPretrain's CIFAR10 nor the url_prefix of "
            'MNIST; fetch its files beforehand'
        )
