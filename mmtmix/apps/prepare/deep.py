"""Reading every image of a data set, which finds what counting cannot."""

from __future__ import annotations

import os
from pathlib import Path

from .contents import DataSet, IdxFile, find_files
from .forms import Form, find_fault


def check_deeply(data_set: DataSet, folder: str | os.PathLike) -> list[str]:
    """Decode every image, and read every batch, of a data set that is complete.

    Args:
        data_set: The data set.
        folder: Its folder.

    Returns:
        One line for each file that cannot be read, with its path.
    """
    files = _forms_of_files(data_set, Path(folder))
    faults = ((path, find_fault(form, path, thorough=True)) for path, form in files.items())
    return [f'{path}: {fault}' for path, fault in faults if fault]


def _forms_of_files(data_set: DataSet, folder: Path) -> dict[Path, Form]:
    """Return the files of a data set; an IDX file is read by every check."""
    laid_out = data_set.instead if data_set.instead and _is_there(data_set, folder) else None
    return {
        path: item.form
        for item in laid_out or data_set.all_contents
        if not isinstance(item, IdxFile)
        for path in sorted(find_files(folder, item.pattern))
        if path.is_file()
    }


def _is_there(data_set: DataSet, folder: Path) -> bool:
    """Whether the folder has the other layout."""
    return all(find_files(folder, item.pattern) for item in data_set.instead)
