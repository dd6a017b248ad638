"""What files of a form end with, by which half-written ones are told, and how to read them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from mmtmix.datasets.array_pickles import load_array_pickle
from mmtmix.datasets.imagenet32 import SIZE, read_batch

_TAIL = 4096
_IMAGE_ENDS = {b'\xff\xd8\xff': b'\xff\xd9', b'\x89PNG\r\n': b'IEND\xae\x42\x60\x82'}


@dataclass(frozen=True)
class Form:
    """Any file: an empty one is not whole, of others nothing is known."""

    def ends_well(self, path: Path) -> bool:
        """Tell whether a file's end is that of a whole one, without reading the rest.

        What is odd but official may fail here, and is read then.
        """
        return True

    def read(self, path: Path) -> None:
        """Read a file wholly.

        Raises:
            Exception: If it cannot be read; which one depends on who decodes it.
        """


@dataclass(frozen=True)
class Image(Form):
    """A JPEG or PNG; others that Pillow decodes pass too, for some have a wrong name."""

    def ends_well(self, path: Path) -> bool:
        """Look for the end marker, which compressed data never holds; zeros may follow it."""
        head, tail = _both_ends(path)
        end = next((end for begin, end in _IMAGE_ENDS.items() if head.startswith(begin)), None)
        return end is not None and tail.rstrip(b'\0').endswith(end)

    def read(self, path: Path) -> None:
        """Decode it with Pillow: OpenCV fills the end of a truncated one with grey."""
        from PIL import Image as PillowImage  # not needed to train, so not to import either

        _, tail = _both_ends(path)
        if not tail.strip(b'\0'):
            raise ValueError('its end is zeros alone, as of a download that did not finish')
        with PillowImage.open(path) as image:
            image.load()


@dataclass(frozen=True)
class Pickle(Form):
    """A pickled dict of arrays."""

    def ends_well(self, path: Path) -> bool:
        """Look for the opcodes that fill a dict and stop."""
        return _both_ends(path)[1].endswith((b'u.', b's.'))

    def read(self, path: Path) -> None:
        """Unpickle it safely."""
        load_array_pickle(path)


@dataclass(frozen=True)
class Batch(Pickle):
    """A batch of ImageNet32.

    Attributes:
        images: How many images it holds at least.
    """

    images: int

    def ends_well(self, path: Path) -> bool:
        """Compare its size too: images are stored raw."""
        return path.stat().st_size > self.images * 3 * SIZE**2 and super().ends_well(path)

    def read(self, path: Path) -> None:
        """Unpickle and count."""
        images, _ = read_batch(path)
        if len(images) < self.images:
            raise ValueError(f'{len(images)} images, at least {self.images} expected')


@dataclass(frozen=True)
class Text(Form):
    """A list.

    Attributes:
        lines: How many lines it has at least.
        pattern: What each of them is.
    """

    lines: int
    pattern: str = '.*'

    def ends_well(self, path: Path) -> bool:
        """Leave it to ``read``, which is quick."""
        return False

    def read(self, path: Path) -> None:
        """Count the lines and look at each."""
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
class Mat(Form):
    """A file of MATLAB 5 to 7: a header of 128 bytes, then elements that tell their sizes."""

    def ends_well(self, path: Path) -> bool:
        """Go from element to element: the last must end where the file does."""
        size, position = path.stat().st_size, 128
        with open(path, 'rb') as file:
            order = 'little' if file.read(position)[-2:] == b'IM' else 'big'
            while position + 8 <= size:
                file.seek(position + 4)
                position += 8 + int.from_bytes(file.read(4), order)
        return size > 128 and position == size

    def read(self, path: Path) -> None:
        """Parse it, as MMPretrain's data sets do."""
        import mat4py  # MMPretrain's, not needed to train on other sets

        mat4py.loadmat(str(path))


def find_fault(form: Form, path: Path, thorough: bool = False) -> str:
    """Say what is wrong with a file.

    Args:
        form: What it should be.
        path: The file.
        thorough: Whether to read it even if it ends well.

    Returns:
        What is wrong; empty if nothing is.
    """
    try:
        if not path.stat().st_size:
            return 'empty'
        if thorough or not form.ends_well(path):
            form.read(path)
    except Exception as error:  # what a decoder raises depends on which it is
        text = str(error).removeprefix(str(path)).lstrip(' :')
        return f'damaged or not complete ({type(error).__name__}: {text})'
    return ''


def _both_ends(path: Path) -> tuple[bytes, bytes]:
    """Read the first and last bytes of a file."""
    with open(path, 'rb', buffering=0) as file:
        head = file.read(8)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        return head, file.read(_TAIL)
