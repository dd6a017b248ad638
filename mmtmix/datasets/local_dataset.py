"""The base of data sets in a folder of their own."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar

from mmpretrain.datasets import BaseDataset

from mmtmix.checks import check_choice, check_path

from .advice import own_advice
from .sources import DataSet, missing_contents


class LocalDataset(BaseDataset):
    """A data set whose files are checked by name before any is read.

    A subclass sets the class attributes and reads the files, in ``load_data_list``, after
    :meth:`require_files`.

    Args:
        data_root: Folder of the files.
        split: Name of the split, one of ``splits``; None where there are none.
        **kwargs: Other arguments of MMPretrain's ``BaseDataset``.

    Attributes:
        source: Entry of the table of data sets; None where there is no published set.
        splits: Names of the splits, the default first; by default those of ``source``.
        refused: Arguments of ``BaseDataset`` that have no meaning here.
        refusal_cure: Advice for the error about them.
        root_cure: Meaning of ``data_root``, for the error about it.
        data_advice: Advice on missing files, with ``{folder}`` for the folder.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is refused, or there is no such split.
    """

    source: ClassVar[DataSet | None] = None
    splits: ClassVar[tuple[str, ...]] = ()
    refused: ClassVar[tuple[str, ...]] = ('ann_file', 'data_prefix')
    refusal_cure: ClassVar[str] = 'give only the folder of its files as data_root, and a split'
    root_cure: ClassVar[str] = 'it is the folder of the files'
    data_advice: ClassVar[str] = ''

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if 'splits' not in vars(cls) and cls.source is not None:
            cls.splits = tuple(cls.source.splits)

    def __init__(
        self, data_root: str | os.PathLike | None, split: str | None = None, **kwargs: Any
    ) -> None:
        self.check_refused(kwargs)
        if split is not None or self.splits:
            self.check_split(split)
        self.split = split
        super().__init__(ann_file='', data_root=str(self.find_root(data_root)), **kwargs)

    @classmethod
    def check_refused(cls, given: Collection[str]) -> None:
        """Refuse arguments that have no meaning for this data set.

        Args:
            given: Names of the arguments.

        Raises:
            ValueError: If there are any.
        """
        unused = sorted(set(cls.refused) & set(given))
        if unused:
            raise ValueError(
                f'{cls.__name__} does not take {", ".join(unused)}; {cls.refusal_cure}.'
            )

    @classmethod
    def check_split(cls, split: str | None) -> None:
        """Refuse a split that does not exist.

        Args:
            split: Name of the split.

        Raises:
            ValueError: If there is no split of that name.
        """
        check_choice('split', split, cls.splits)

    @classmethod
    def find_root(cls, data_root: str | os.PathLike | None) -> Path:
        """Return the absolute folder that ``data_root`` stands for.

        Args:
            data_root: Folder of the files, as in the constructor.

        Raises:
            TypeError: If it is no path.
            ValueError: If it is empty.
        """
        check_path('data_root', data_root, cure=cls.root_cure)
        return Path(os.path.abspath(os.path.expanduser(str(data_root))))

    @classmethod
    def missing_files(
        cls, data_root: str | os.PathLike | None = None, split: str | None = None, **kwargs: Any
    ) -> tuple[str, list[str]]:
        """Return which files are missing, without reading an image; see ``check_data``.

        Args:
            data_root: Folder of the files, as in the constructor.
            split: Name of the split, as in the constructor; the default one if None. Only its
                files are required.
            **kwargs: Other arguments of the constructor, unused.

        Returns:
            The absolute folder and the missing names.

        Raises:
            TypeError: If an argument is of another type.
            ValueError: If an argument is invalid.
        """
        root = cls.find_root(data_root)
        split = cls.splits[0] if split is None else split
        cls.check_split(split)
        contents = () if cls.source is None else cls.source.splits[split]
        return str(root), missing_contents(contents, root)

    def require_files(self, **kwargs: Any) -> Path:
        """Return the folder if its files are there.

        Args:
            **kwargs: Arguments of :meth:`missing_files` beside ``data_root`` and ``split``.

        Raises:
            FileNotFoundError: If files are missing.
        """
        root, missing = self.missing_files(self.data_root, self.split, **kwargs)
        if missing:
            raise FileNotFoundError(
                f'data_root {root} lacks {", ".join(missing)} for split={self.split!r}. '
                f'{own_advice(type(self), root)}'
            )
        return Path(root)

    def extra_repr(self) -> list[str]:
        """Return lines about the folder and the split for ``repr``."""
        lines = [f'Folder: \t{self.data_root}']
        return lines if self.split is None else [*lines, f'Split: \t{self.split}']
