"""The words of the table: what a data set's folder holds, and the files that it comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .file_formats import FileFormat, Image


@dataclass(frozen=True)
class Files:
    """Files of one pattern.

    Attributes:
        pattern: Path or glob pattern below the data set's folder.
        count: Least number of files.
        format: Format of each file.
        md5: MD5 in hex, where there is one file and its checksum is published.
    """

    pattern: str
    count: int = 1
    format: FileFormat = FileFormat()
    md5: str | None = None


@dataclass(frozen=True)
class Listed:
    """Images that a text file lists, one per line.

    Attributes:
        path: Path of the list below the data set's folder.
        count: Least number of lines.
        image: Path of an image, with ``{}`` for its name. It may be a folder of images.
        format: Format of the images.
        line: Regular expression of a line, whose first group is the name.
    """

    path: str
    count: int
    image: str
    format: FileFormat = Image()
    line: str = r'(\S+)(?:\s.*)?'

    @property
    def pattern(self) -> str:
        """Glob pattern of the images."""
        return re.sub(r'{.*?}', '*', self.image)

    def read_names(self, path: Path) -> Sequence[str | int]:
        """Read the names in the list.

        Args:
            path: Path of the list on this machine.

        Raises:
            ValueError: If it is no text, or a line has another form.
        """
        names = []
        for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1):
            match = re.fullmatch(self.line, line.strip())
            if match is None:
                raise ValueError(f'line {number} is {line!r}')
            names.append(match[1])
        return names


@dataclass(frozen=True)
class MatListed(Listed):
    """Images that a MATLAB file lists by their numbers.

    Attributes:
        fields: Names of the arrays of numbers.
    """

    fields: tuple[str, ...] = ()

    def read_names(self, path: Path) -> Sequence[str | int]:
        """Read the numbers in the list.

        Args:
            path: Path of the list on this machine.

        Raises:
            Exception: If the file is damaged; its class depends on the damage.
        """
        import mat4py  # other data sets do without

        content = mat4py.loadmat(str(path))
        return [number for name in self.fields for number in content[name]]


@dataclass(frozen=True)
class IdxFile:
    """A file of MNIST's format, gzipped or plain; every check reads it whole, which is quick.

    Attributes:
        name: Official name without ``.gz``.
        count: Number of items.
        item_shape: Shape of each item.
    """

    name: str
    count: int
    item_shape: tuple[int, ...] = ()

    @property
    def pattern(self) -> str:
        """Official name of the gzipped file."""
        return f'{self.name}.gz'


Content = Files | Listed | IdxFile


def find_files(folder: Path, pattern: str) -> list[Path]:
    """Find the files of a pattern, without those of macOS (``._x.jpg``) and Windows.

    Args:
        folder: The data set's folder.
        pattern: Glob pattern below it.
    """
    found = folder.glob(pattern)
    return [path for path in found if path.name[0] != '.' and path.name != 'Thumbs.db']


@dataclass(frozen=True)
class Source:
    """A published file, and what it gives.

    Attributes:
        name: Official name.
        gives: Contents below the data set's folder once it is unpacked; a plain file gives one.
        md5: MD5 in hex, where it is published.
        url: Address from which it can be fetched without signing anything; None if there is none.
    """

    name: str
    gives: tuple[Content, ...]
    md5: str | None = None
    url: str | None = None

    @property
    def is_archive(self) -> bool:
        """Whether it has to be unpacked."""
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
        name: Name on the command line.
        title: Name in print.
        images: Number of training and of test images, in the usual division.
        classes: Number of classes.
        sources: Published files, in the order of unpacking; none if the set is only checked.
        page: Address of the page that publishes it.
        folder: Name of the folder below ``data_root`` that the archive makes, if it makes one.
        contents: Contents where there are no sources.
        instead: Another layout that MMPretrain reads as well.
        splits: Contents that each split needs, the default split first. They are below
            ``folder``, and are those that a training looks up before it starts.
        host_class: Name of MMPretrain's class that reads it; empty if there is none.
        note: Advice on how to get it.
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
    splits: Mapping[str, tuple[Content, ...]] = field(default_factory=dict, hash=False)
    host_class: str = ''
    note: str = ''

    @property
    def all_contents(self) -> tuple[Content, ...]:
        """Contents of the whole data set, below ``data_root``."""
        return (*self.contents, *(item for source in self.sources for item in source.gives))
