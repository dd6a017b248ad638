"""Load checkpoints as data, and notice damaged ones."""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import warnings
import zipfile
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import torch

from .files import explaining_faults, file_digest, is_write_fault
from .safe_loading import is_trusted, mmengine_globals, unforced
from .shipped import local_file

# the first digits of a file's SHA-256 at the end of its name, as torch's hub has them
_HASH = re.compile(r'-([0-9a-f]{8,64})\.')


class UnsafeCheckpointError(ValueError):
    """A checkpoint holds more than tensors and plain data, or is damaged so that it seems so.

    Args:
        fault: File and fault, without the cure.
    """

    def __init__(self, fault: str):
        super().__init__(
            f'{fault}. Loading it unsafely runs whatever code is in it: only if you trust its '
            'author as that of a program, give --trust-checkpoint with its name'
        )
        self.fault = fault

    def __reduce__(self) -> tuple:
        return type(self), (self.fault,)  # for other ranks, without the cure twice


def fetch_checkpoint(path: str | os.PathLike) -> Path:
    """Return the file of a checkpoint on this machine; one at an address is downloaded once.

    torch's own name in its hub cache is the last part of an address, which many files share. So
    the name here begins with a digest of the address.

    Args:
        path: Path of a file, an http(s) address, or ``mmtmix://NAME`` for weights of the package.

    Returns:
        The file, which for an address is in torch's hub cache.

    Raises:
        FileNotFoundError: If there is no such file.
        IsADirectoryError: If it is a folder.
        ConnectionError: If it cannot be downloaded.
        OSError: If the disk is full, the cache can't be written to and the like.
        ValueError: If its SHA-256 differs from the digits in its name, which model zoos put there,
            or the package has no weights of that name.
    """
    name = str(path)
    if not name.startswith(('http://', 'https://')):
        file = local_file(path)
        if file.is_dir():
            raise IsADirectoryError(f'checkpoint {name!r} is a folder, not a file')
        if not file.is_file():
            raise FileNotFoundError(f'checkpoint {name!r} does not exist')
        return file
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    last, cache = PurePosixPath(urlsplit(name).path).name, Path(torch.hub.get_dir(), 'checkpoints')
    promised, file = promised_hash(last), cache / f'{digest}-{last}'
    # a download of torch or MMEngine, if its name promises the same hash
    shared = cache / last
    if promised and shared.is_file() and file_digest(shared, len(promised)) == promised:
        return shared
    if not file.is_file():
        try:
            with explaining_faults(file):
                cache.mkdir(parents=True, exist_ok=True)
                torch.hub.download_url_to_file(name, str(file), promised)
        except RuntimeError as error:  # torch's for a hash; nothing is kept then
            raise ValueError(
                f'checkpoint {name!r} is not the file that its name promises ({error}); it was '
                'damaged on its way, or replaced at its source'
            ) from error
        except (OSError, HTTPException) as error:
            if isinstance(error, OSError) and is_write_fault(error):
                raise
            raise ConnectionError(f'checkpoint {name!r} cannot be fetched: {error}') from error
    return file


def promised_hash(name: str) -> str | None:
    """Return the first digits of a file's SHA-256 in its name; None where there are none.

    Args:
        name: File name such as ``resnet50_8xb32_in1k_20210831-ea4938fc.pth``.
    """
    found = _HASH.findall(name)
    # eight figures alone may as well be a date
    return found[-1] if found and not found[-1].isdigit() else None


def load_checkpoint(path: str | os.PathLike) -> dict:
    """Load a checkpoint to the CPU without running code that a pickle may hold.

    A zipped file's records are compared with their checksums, which torch itself doesn't do.

    Args:
        path: Path, address or name; see :func:`fetch_checkpoint`.

    Returns:
        The content of the file, a dict.

    Raises:
        FileNotFoundError: If there is no such file.
        IsADirectoryError: If it is a folder.
        ConnectionError: If it cannot be downloaded.
        UnsafeCheckpointError: If it needs unsafe loading.
        ValueError: If it is damaged or holds no dict.
    """
    file = fetch_checkpoint(path)
    name = checkpoint_in_words(path, file)
    _check_records(name, file)
    try:
        content = load_trusted(file) if is_trusted(path) else _load_data(file)
    except Exception as error:  # a damaged pickle can fail in any way
        raise _fault(name, file, error) from error
    if not isinstance(content, dict):
        raise ValueError(f'checkpoint {name} holds a {type(content).__name__}, not a dict')
    return content


def _load_data(file: Path) -> Any:
    # on exit torch drops what it was given here, so leave out what was allowed before
    allowed = torch.serialization.get_safe_globals()
    needed = [item for item in mmengine_globals() if item not in allowed]
    with torch.serialization.safe_globals(needed), warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Detected pickle protocol')  # advice for torch's authors
        return torch.load(file, map_location='cpu', weights_only=True)


def load_trusted(file: Path, pickle_module: Any = pickle) -> Any:
    """Load a file to the CPU, and run whatever code is in it.

    Args:
        file: Checkpoint whose author the user trusts as that of a program.
        pickle_module: Module that unpickles it; see :func:`torch.load`.
    """
    with unforced():
        return torch.load(
            file, map_location='cpu', weights_only=False, pickle_module=pickle_module
        )


def _check_records(name: str, file: Path) -> None:
    """Compare a zipped checkpoint's records with their CRC-32.

    Raises:
        ValueError: If one has changed since it was written.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            # without checksums, which torch can leave out, they are all 0
            known = any(record.CRC for record in archive.infolist())
            damaged = archive.testzip() if known else None
    except Exception:  # an old file that is not zipped, or one so damaged that torch refuses it
        return
    if damaged:
        raise ValueError(
            f'checkpoint {name} is damaged: its record {damaged!r} does not have its checksum; '
            'fetch it again, or take an earlier checkpoint'
        )


def checkpoint_in_words(path: str | os.PathLike, file: Path) -> str:
    """Return a checkpoint's name for an error, with the file that holds a download of it.

    Args:
        path: Argument of :func:`fetch_checkpoint`.
        file: Path that it returned.
    """
    name = str(path)
    if name.startswith(('http://', 'https://')):
        return f'{name!r} (delete {str(file)!r} to download it anew)'
    return repr(name)


def _fault(name: str, file: Path, error: Exception) -> ValueError:
    """Return the error for a file that torch does not load safely, without torch's advice."""
    with open(file, 'rb') as opened:
        head = opened.read(20)
    if not head.startswith((b'PK', b'\x80')):  # neither zipped nor pickled
        return ValueError(
            f"checkpoint {name} is damaged or none of PyTorch's at all: it "
            + (f'begins with {head!r}' if head else 'is empty')
        )
    is_refused = 'weights_only' in str(error)
    inner = error.__context__ if is_refused and error.__context__ else error
    reason = re.split(r'\. |\.?\n', str(inner))[0].rstrip('.') or type(inner).__name__
    if not is_refused:
        return ValueError(f'checkpoint {name} is damaged: {reason}')
    return UnsafeCheckpointError(
        f'checkpoint {name} is damaged, or holds more than tensors and plain data and would need '
        f'unsafe loading: {reason}'
    )
