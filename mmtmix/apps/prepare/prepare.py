"""Put a data set into a folder: check, find or download the archives, unpack, check again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from mmtmix.checks import check_flag, check_path
from mmtmix.datasets.sources import (
    DataSet,
    Source,
    check_contents,
    check_deeply,
    download,
    file_md5,
    unpack,
)
from mmtmix.utils.files import atomic_path


def prepare(
    data_set: DataSet,
    root: str | os.PathLike,
    archives: Sequence[str | os.PathLike] = (),
    *,
    offline: bool = False,
    deep: bool = False,
    any_checksum: bool = False,
    report: Callable[[str], None] = print,
) -> Path:
    """Make a data set complete, or raise an error that lists what is missing.

    Complete parts stay as they are, so an interrupted run continues where it stopped.

    Args:
        data_set: Data set of the table :data:`DATA_SETS`.
        root: Folder of the data set, the ``data_root`` of configs. It is made if it is missing.
        archives: Paths of archives that the user has; other archives are searched in the folder.
        offline: Whether nothing is downloaded.
        deep: Whether every image is decoded at the end.
        any_checksum: Whether archives with another checksum than the published one are accepted,
            such as archives that others packed again. Their contents are checked in any case.
        report: Function that takes a line about each step.

    Returns:
        The absolute folder.

    Raises:
        FileNotFoundError: If something is missing; it lists which file to put where.
        TypeError: If an argument is of another type.
        ValueError: If an archive or a file is damaged or not what it should be.
    """
    check_path('root', root)
    for name, flag in dict(offline=offline, deep=deep, any_checksum=any_checksum).items():
        check_flag(name, flag)
    root = Path(os.path.abspath(os.path.expanduser(root)))
    if data_set.folder and root.name == data_set.folder:
        root = root.parent  # people often name the folder that the archive makes
    given = _assign(data_set, [Path(archive).expanduser() for archive in archives])
    if not _is_complete(data_set, root):
        lacking: list[tuple[Source, str]] = []
        for source in data_set.sources:
            if check_contents(source.gives, root):
                # an archive of images can't be checked without the lists of another one
                first = [other.name for other, _ in lacking if _lists_for(source, other)]
                path = given.get(source.name, root / source.name)
                reason = _obtain(source, root, path, first, offline, any_checksum, report)
                lacking += [(source, reason)] if reason else []
        problems = check_contents(data_set.all_contents, root)
        if lacking or problems:
            raise FileNotFoundError(_explain(data_set, root, lacking, problems))
    undecodable = check_deeply(data_set, root) if deep else []
    if undecodable:
        number = len(undecodable)
        count, them = ('1 file', 'it') if number == 1 else (f'{number} files', 'them')
        head = f'{data_set.title} in {root} has {count} that cannot be read'
        lines = [f'{head}; delete {them} and run this again:', *_indented(undecodable)]
        raise ValueError('\n'.join(lines))
    train, test = data_set.images
    report(
        f'{data_set.title} is complete: {train:,} + {test:,} images, {data_set.classes} classes'
    )
    report(f'    data_root={str(root)!r}')
    return root


def _is_complete(data_set: DataSet, root: Path) -> bool:
    """Return whether the folder has a complete layout, the data set's or the other one."""
    layouts = (layout for layout in (data_set.all_contents, data_set.instead) if layout)
    return any(not check_contents(layout, root) for layout in layouts)


def _assign(data_set: DataSet, archives: Sequence[Path]) -> dict[str, Path]:
    """Return the user's files by their sources: by name, or all for the only source."""
    names = [source.name for source in data_set.sources]
    assigned: dict[str, Path] = {}
    for path in archives:
        if not path.is_file():
            raise FileNotFoundError(f'--archive {path}: there is no such file.')
        if path.name not in names and len(names) != 1:
            wanted = ', '.join(names) or 'none: it is only checked'
            raise ValueError(
                f'--archive {path}: {data_set.title} comes in {wanted}; rename the file.'
            )
        assigned[path.name if path.name in names else names[0]] = path
    return assigned


def _lists_for(source: Source, other: Source) -> bool:
    """Return whether another source holds the lists of a source's images."""
    return any(item.pattern in source.lists_of_others for item in other.gives)


def _obtain(
    source: Source,
    root: Path,
    path: Path,
    first: Sequence[str],
    offline: bool,
    any_checksum: bool,
    report: Callable[[str], None],
) -> str:
    """Find or download a source and unpack it, unless other missing sources come first.

    Returns:
        Reason why the source is missing; empty if it is complete.
    """
    if not path.is_file():
        if source.url is None:
            return 'there is no public address to download it from'
        if offline:
            return f'not downloaded (--offline); it is at {source.url}'
        if first:
            return f'not downloaded before {first[0]} is there; it is at {source.url}'
        report(f'Downloading {source.url}')
        try:
            download(source.url, path, source.md5)
        except ConnectionError as error:
            return f'the download failed: {error}'
    elif source.md5 and not any_checksum and (actual := file_md5(path)) != source.md5:
        raise ValueError(
            f'{path}: its MD5 is {actual}, not {source.md5}: a broken download, or packed again '
            'by others. Delete it and fetch it again; --any-checksum accepts it as it is.'
        )
    if first:
        checked = ', with the right MD5' if source.md5 and not any_checksum else ''
        return f'there already: {path}{checked}; it is unpacked after {first[0]}'
    if source.is_archive:
        unpack(path, source, root, report)
    else:
        final = root / source.gives[0].pattern
        if path.resolve() != final.resolve():
            with atomic_path(final) as temporary:
                shutil.copyfile(path, temporary)
    return ''


def _explain(
    data_set: DataSet, root: Path, lacking: Sequence[tuple[Source, str]], problems: Sequence[str]
) -> str:
    """Return the message with the missing parts and the place of each file."""
    lines = [f'{data_set.title} is not complete in {root}:', *_indented(problems)]
    if lacking:
        lines.append(
            f'Put these files into {root}, or name them with --archive, and run it again:'
        )
        for source, reason in lacking:
            checksum = f' (MD5 {source.md5})' if source.md5 else ''
            lines += [f'    {source.name}{checksum}', f'        {reason}']
    lines.append(f'Published at {data_set.page}.')
    return '\n'.join([*lines, *([data_set.note] if data_set.note else [])])


def _indented(lines: Sequence[str], most: int = 10) -> list[str]:
    """Return lines with an indent; those beyond the most are only counted."""
    shown = [*lines] if len(lines) <= most + 1 else lines[:most]
    more = [f'and {len(lines) - len(shown)} others'] if len(shown) < len(lines) else []
    return [f'    {line}' for line in (*shown, *more)]
