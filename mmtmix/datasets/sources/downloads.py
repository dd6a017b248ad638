"""Download files, and continue those that broke off."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from mmtmix.utils.files import explaining_faults, is_write_fault, publish_file

from .checking import file_md5

TIMEOUT = 30.0
"""Seconds without a byte after which a download fails."""

CHUNK = 1 << 18


def download(
    url: str, path: str | os.PathLike, md5: str | None = None, timeout: float = TIMEOUT
) -> None:
    """Download a file to ``path``, through ``<path>.part`` beside it.

    An earlier ``.part`` is continued if the server can do that and a checksum is known, which
    shows whether the pieces fit. Progress goes to stderr, if that is a terminal.

    Args:
        url: Address of the file.
        path: Final path, which appears only when the file is whole.
        md5: MD5 in hex; None if it is unknown.
        timeout: Seconds without a byte after which the download fails, > 0.

    Raises:
        OSError: If the disk is full, the folder can't be written to and the like.
        ConnectionError: If the server cannot be reached, refuses, or breaks off.
        ValueError: If the checksum differs; the file is then deleted.
    """
    path = Path(path)
    part = path.with_name(f'{path.name}.part')
    path.parent.mkdir(parents=True, exist_ok=True)
    if md5 is None:
        part.unlink(missing_ok=True)
    if not (md5 is not None and part.is_file() and file_md5(part) == md5):
        try:
            with explaining_faults(part):
                _fetch(url, part, timeout)
        except (OSError, HTTPException, ValueError) as error:
            if isinstance(error, OSError) and is_write_fault(error):
                raise
            raise ConnectionError(f'{url}: {type(error).__name__}: {error}') from error
    if md5 is not None:
        actual = file_md5(part)
        if actual != md5:
            part.unlink()
            raise ValueError(
                f'{url} gave a file of MD5 {actual}, not {md5}; it was deleted. Try again, or '
                f'fetch the official {path.name} elsewhere.'
            )
    publish_file(part, path)


def _fetch(url: str, part: Path, timeout: float) -> None:
    """Append to ``part`` what it lacks, or write it anew."""
    done = part.stat().st_size if part.is_file() else 0
    headers = {'User-Agent': 'mmtmix'} | ({'Range': f'bytes={done}-'} if done else {})
    request = urllib.request.Request(url, headers=headers)
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not done:  # not 416: what is there is longer than the file
            raise
        part.unlink()
        return _fetch(url, part, timeout)
    with response:
        # 206: the rest is sent, otherwise the whole file; a file:// address has no status
        if getattr(response, 'status', None) != 206:
            done = 0
        length = response.headers.get('Content-Length')
        total = done + int(length) if length else None
        with open(part, 'ab' if done else 'wb') as file, _progress() as progress:
            task = progress.add_task(part.stem, total=total, completed=done)
            while chunk := response.read(CHUNK):
                file.write(chunk)
                progress.advance(task, len(chunk))
    if total is not None and part.stat().st_size != total:
        raise OSError(f'it broke off after {part.stat().st_size} of {total} bytes; run it again')


def _progress() -> Progress:
    """Make a progress bar, which shows nothing where stderr is no terminal."""
    columns = (TextColumn('{task.description}'), BarColumn(), DownloadColumn())
    console = Console(file=sys.stderr)
    disable = not console.is_terminal
    return Progress(*columns, TimeRemainingColumn(), console=console, disable=disable)
