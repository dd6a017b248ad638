"""What a data set's folder holds, and the files that it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .forms import Form, Image


@dataclass(frozen=True)
class Files:
    """Files of one pattern.

    Attributes:
        pattern: A path or glob pattern below the data set's folder.
        count: How many there are at least.
        form: What each of them is.
        md5: The checksum, where there is one file and its checksum is published.
    """

    pattern: str
    count: int = 1
    form: Form = Form()
    md5: str | None = None


@dataclass(frozen=True)
class Listed:
    """Images that a text file lists, the name first in each line.

    Attributes:
        path: The list, below the data set's folder.
        count: How many lines it has.
        image: The image's path, with ``{}`` for the name.
        form: What the images are.
    """

    path: str
    count: int
    image: str
    form: Form = Image()

    @property
    def pattern(self) -> str:
        """Where the images are."""
        return self.image.format('*')


@dataclass(frozen=True)
class IdxFile:
    """A file of MNIST's format, gzipped or plain; it is read whole, which takes no time.

    Attributes:
        name: Its name without ``.gz``.
        count: How many items it holds.
        item_shape: Their shape.
    """

    name: str
    count: int
    item_shape: tuple[int, ...] = ()

    @property
    def pattern(self) -> str:
        """Its name when gzipped, as it is published."""
        return f'{self.name}.gz'


Content = Files | Listed | IdxFile


def find_files(folder: Path, pattern: str) -> list[Path]:
    """Find the files of a pattern, without those of macOS (``._x.jpg``) and Windows."""
    found = folder.glob(pattern)
    return [path for path in found if path.name[0] != '.' and path.name != 'Thumbs.db']


@dataclass(frozen=True)
class Source:
    """A file that is published, and what it gives.

    Attributes:
        name: Its official name.
        gives: What is below the data set's folder once it is unpacked; a plain file gives one.
        md5: Its checksum, where one is published.
        url: Where it can be fetched from without signing anything, if it can.
    """

    name: str
    gives: tuple[Content, ...]
    md5: str | None = None
    url: str | None = None

    @property
    def is_archive(self) -> bool:
        """Whether it is to be unpacked."""
        return self.name.endswith(('.tar.gz', '.tgz', '.tar', '.zip'))

    @property
    def entries(self) -> tuple[str, ...]:
        """The names that it gives directly below the data set's folder."""
        return tuple(dict.fromkeys(item.pattern.split('/')[0] for item in self.gives))

    @property
    def lists_of_others(self) -> tuple[str, ...]:
        """The lists of its images that another source gives."""
        paths = (item.path for item in self.gives if isinstance(item, Listed))
        return tuple(path for path in paths if path.split('/')[0] not in self.entries)


@dataclass(frozen=True)
class DataSet:
    """A data set that configs of this library use.

    Attributes:
        name: What ``tools/prepare_data.py`` calls it.
        title: What people call it.
        images: How many images to train on and to test on, in the usual division.
        classes: How many classes.
        sources: What it comes from, in the order of unpacking; none if it is only checked.
        page: Where it is published.
        folder: What the folder itself is often called below ``data_root``, if it has a name.
        contents: Where there are no sources: what must be there.
        instead: Another layout that MMPretrain reads as well.
        note: What else to know to get it.
    """

    name: str
    title: str
    images: tuple[int, int]
    classes: int
    sources: tuple[Source, ...]
    page: str
    folder: str = ''
    contents: tuple[Content, ...] = ()
    instead: tuple[Content, ...] = ()
    note: str = ''

    @property
    def all_contents(self) -> tuple[Content, ...]:
        """All that must be there."""
        return (*self.contents, *(item for source in self.sources for item in source.gives))
