"""Formats of files: how a half-written file is recognised by its end, and how each is read."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .array_pickles import BATCH_SIDE, load_array_pickle, read_batch

_TAIL = 4096
_IMAGE_ENDS = {b'\xff\xd8\xff': b'\xff\xd9', b'\x89PNG\r\n': b'IEND\xae\x42\x60\x82'}


@dataclass(frozen=True)
class FileFormat:
    """Any file: an empty one is not whole, and every other one passes."""

    def ends_well(self, path: Path) -> bool:
        """Return whether a file ends as a whole one does, without reading the rest.

        An odd but official file may fail here, and is then read.

        Args:
            path: Path of the file, which is not empty.
        """
        return True

    def read(self, path: Path) -> None:
        """Read the whole file.

        Args:
            path: Path of the file.

        Raises:
            Exception: If it cannot be read; its class depends on the decoder.
        """


@dataclass(frozen=True)
class Image(FileFormat):
    """A JPEG or PNG; other images that Pillow decodes pass too, since some have a wrong name."""

    def ends_well(self, path: Path) -> bool:
        """Find the end marker, which compressed data never holds; zeros may follow it."""
        head, tail = _both_ends(path)
        end = next((end for begin, end in _IMAGE_ENDS.items() if head.startswith(begin)), None)
        return end is not None and tail.rstrip(b'\0').endswith(end)

    def read(self, path: Path) -> None:
        """Decode it with Pillow; OpenCV would fill the end of a truncated one with grey."""
        from PIL import Image as PillowImage  # training needs no Pillow

        _, tail = _both_ends(path)
        if not tail.strip(b'\0'):
            raise ValueError('its end is zeros alone, as after a download that did not finish')
        with PillowImage.open(path) as image:
            image.load()


@dataclass(frozen=True)
class Pickle(FileFormat):
    """A pickled dict of arrays."""

    def ends_well(self, path: Path) -> bool:
        """Find the opcodes that fill a dict and stop."""
        return _both_ends(path)[1].endswith((b'u.', b's.'))

    def read(self, path: Path) -> None:
        """Unpickle it safely."""
        load_array_pickle(path)


@dataclass(frozen=True)
class Batch(Pickle):
    """A batch of ImageNet32.

    Attributes:
        images: Least number of images in it.
    """

    images: int

    def ends_well(self, path: Path) -> bool:
        """Compare the size too: images are stored raw."""
        return path.stat().st_size > self.images * 3 * BATCH_SIDE**2 and super().ends_well(path)

    def read(self, path: Path) -> None:
        """Unpickle and count."""
        images, _ = read_batch(path)
        if len(images) < self.images:
            raise ValueError(f'{len(images)} images, at least {self.images} expected')


@dataclass(frozen=True)
class Text(FileFormat):
    """A text file of lines.

    Attributes:
        lines: Least number of lines.
        pattern: Regular expression that each line matches.
    """

    lines: int
    pattern: str = '.*'

    def ends_well(self, path: Path) -> bool:
        """Return False, so that the file is read, which is quick."""
        return False

    def read(self, path: Path) -> None:
        """Count the lines and match each."""
        count = 0
        with open(path, encoding='utf-8') as file:
            for number, line in enumerate(file, 1):
                if text := line.strip('\0 \t\n'):
                    count += 1
                    if not re.fullmatch(self.pattern, text):
                        raise ValueError(f'line {number} is {text!r}')
        if count < self.lines:
            raise ValueError(f'{count} of {self.lines} lines')


@dataclass(frozen=True)
class Mat(FileFormat):
    """A file of MATLAB 5 to 7: a header of 128 bytes, then elements that begin with their size."""

    def ends_well(self, path: Path) -> bool:
        """Jump from element to element: the last must end where the file does."""
        size, position = path.stat().st_size, 128
        with open(path, 'rb') as file:
            order: Literal['little', 'big'] = (
                'little' if file.read(position)[-2:] == b'IM' else 'big'
            )
            while position + 8 <= size:
                file.seek(position + 4)
                position += 8 + int.from_bytes(file.read(4), order)
        return size > 128 and position == size

    def read(self, path: Path) -> None:
        """Parse it, as MMPretrain's data sets do."""
        import mat4py  # other data sets do without

        mat4py.loadmat(str(path))


def find_fault(file_format: FileFormat, path: Path, thorough: bool = False) -> str:
    """Return what is wrong with a file, in words; an empty string if nothing is.

    Args:
        file_format: Format that the file should have.
        path: Path of the file.
        thorough: Whether the file is read even if it ends as a whole one does.
    """
    try:
        if not path.stat().st_size:
            return 'empty'
        if thorough or not file_format.ends_well(path):
            file_format.read(path)
    except Exception as error:  # each decoder has errors of its own
        text = str(error).removeprefix(str(path)).lstrip(' :')
        return f'damaged or not complete ({type(error).__name__}: {text})'
    return ''


def _both_ends(path: Path) -> tuple[bytes, bytes]:
    """Read the first 8 and the last bytes of a file."""
    with open(path, 'rb', buffering=0) as file:
        head = file.read(8)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        return head, file.read(_TAIL)
