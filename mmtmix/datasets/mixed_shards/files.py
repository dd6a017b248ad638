"""The folder of a mixed set: its files, its description, and their comparison."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mmtmix.utils.claims import holders_in

from .images import CHANNEL_ORDERS
from .reader import ShardReader
from .records import FORMATS

DATASET_FILE = 'dataset.json'
"""Description of a set; the file exists when the set is complete."""

SETTINGS_FILE = 'settings.json'
"""Settings of the generation; the file exists from the start."""

ADVICE = (
    'Make the set with `python tools/generate_mixed.py CONFIG --out DIR --num N`; where a '
    'generation was stopped, the same command completes it.'
)

# Keys of dataset.json beside `format`. Right types make it safe to read, not consistent.
_TYPES: dict[str, tuple[type, ...]] = {
    'num': (int,),
    'shards': (list,),
    'settings_digest': (str,),
    'classes': (list, type(None)),
    'num_classes': (int,),
    'num_mix': (int,),
    'channel_order': (str,),
    'settings': (dict,),
    'statistics': (dict,),
}


# beside those of _TYPES; sets that were made before 2026-12 have no sha256, those of PNGs no
# encoding, so that older versions read them
_OTHER_KEYS = ('format', 'encoding', 'made_with', 'sha256')


def shard_name(number: int) -> str:
    """Return the name of a shard's file.

    Args:
        number: Number of the shard, >= 0.

    Returns:
        The name, such as ``shard-00000.safetensors``.
    """
    return f'shard-{number:05d}.safetensors'


def shard_files(folder: str | os.PathLike) -> list[str]:
    """List the shards that are in a folder, whatever their content.

    Args:
        folder: Folder, which may be missing.

    Returns:
        Their names, sorted.
    """
    return sorted(path.name for path in Path(folder).glob('shard-*.safetensors'))


def read_dataset_file(folder: str | os.PathLike) -> dict[str, Any]:
    """Read the description of a complete set.

    Args:
        folder: Folder of the set.

    Returns:
        The content of ``dataset.json``: ``num`` images in all, ``shards`` with the number of
        records of each, ``settings_digest``, ``classes`` (names or None), ``num_classes``,
        ``num_mix`` (sources per image), ``channel_order``, ``settings`` and ``statistics``.

    Raises:
        FileNotFoundError: If the set is not complete or there is none.
        ValueError: If the file is damaged or contradicts itself.
    """
    path = Path(os.path.abspath(folder), DATASET_FILE)
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(missing_set(path.parent)) from error
    try:
        content = json.loads(text)
        fault = _fault_of(content)
    except ValueError as error:  # of JSON or of UTF-8
        fault = f'it is no JSON ({error})'
    if fault:
        raise ValueError(
            f'{path} is damaged: {fault}. Delete that file and run the generator again with the '
            'same command: it writes the file anew from the shards.'
        )
    return content


def description_digest(described: Mapping[str, Any]) -> str:
    """Digest the content of ``dataset.json``, so that an altered byte is found.

    Args:
        described: Content of the file; a ``sha256`` in it is left out.

    Returns:
        A SHA-256 in hexadecimal.
    """
    rest = {key: value for key, value in described.items() if key != 'sha256'}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def is_complete_set(folder: str | os.PathLike) -> bool:
    """Return whether a folder holds a description of a set and a file for each of its shards.

    Args:
        folder: Folder, which may be missing.
    """
    try:
        shards = read_dataset_file(folder)['shards']
    except (OSError, ValueError):
        return False
    return set(map(shard_name, range(len(shards)))) <= set(shard_files(folder))


def missing_set(folder: str | os.PathLike) -> str:
    """Return what is missing in a folder without ``dataset.json``, in words.

    Args:
        folder: Folder, which may be missing.

    Returns:
        One or two sentences that end with advice.
    """
    if not Path(folder, SETTINGS_FILE).is_file():
        return f'There is no mixed set in {folder}: it has no {DATASET_FILE}. {ADVICE}'
    return (
        f'The generation of the mixed set in {folder} is not finished: {progress_of(folder)}. Run '
        'the same command again; it makes only what is missing, also beside others.'
    )


def progress_of(folder: str | os.PathLike) -> str:
    """Return the progress of a generation, in words.

    Args:
        folder: The folder of the set, which has a ``settings.json``.

    Returns:
        ``'3 of 10 shards are there'``, without the ten if ``num_shards`` is not in that file. If
        processes work on others, their number and the first of them follow.
    """
    try:
        planned = json.loads(Path(folder, SETTINGS_FILE).read_bytes())['num_shards']
    except (OSError, ValueError, KeyError, TypeError):
        planned = None
    of = f' of {planned}' if planned else ''
    there = shard_files(folder)
    holders = holders_in(folder)
    works = [holders[name] for name in sorted(holders.keys() - set(there) - {DATASET_FILE})]
    text = f'{len(there)}{of} shards are there'
    if works:
        more = f' and {len(works) - 1} more' if len(works) > 1 else ''
        text += f', {len(works)} in work by {works[0] or "another process"}{more}'
    return text


def verify_set(
    folder: str | os.PathLike, progress: Callable[[Iterable[int]], Iterable[int]] = iter
) -> list[str]:
    """Read and check a whole set, and continue after a bad shard.

    Args:
        folder: Folder of the set.
        progress: Function that wraps the iterable of shard numbers to show progress, such as
            ``tqdm.tqdm``. By default nothing is shown.

    Returns:
        Faults, one string per shard; empty if the set is good.
    """
    try:
        described = read_dataset_file(folder)
    except (OSError, ValueError) as error:
        return [str(error)]
    errors: list[str] = []
    shapes: dict[Any, str | os.PathLike] = {}
    for number in progress(range(len(described['shards']))):
        try:
            reader = open_shard(folder, described, number)
            shapes.setdefault(reader.verify(), reader.path)
        except (OSError, ValueError) as error:
            errors.append(str(error))
    if len(shapes) > 1:
        parts = [f'{shape} from {path} on' for shape, path in shapes.items()]
        errors.append(f'The images differ in shape between shards: {", ".join(parts)}.')
    listed = {shard_name(number) for number in range(len(described['shards']))}
    return errors + [
        f'{Path(os.path.abspath(folder), name)}: {DATASET_FILE} does not list this shard. Delete '
        'that file.'
        for name in shard_files(folder)
        if name not in listed
    ]


def open_shard(
    folder: str | os.PathLike, described: dict[str, Any], number: int, check_index: bool = True
) -> ShardReader:
    """Open a shard and compare it to the description of its set.

    Args:
        folder: Folder of the set.
        described: Value of :func:`read_dataset_file`.
        number: Number of the shard, >= 0.
        check_index: Whether the index is checked; see :class:`ShardReader`.

    Returns:
        The shard.

    Raises:
        FileNotFoundError: If it is missing.
        ValueError: If it is damaged or not from this set.
    """
    path = Path(folder, shard_name(number))
    reader = ShardReader(path, described['settings_digest'], number, check_index)
    expected = described['shards'][number], described['num_mix'], described['num_classes']
    if reader.format != described['format']:
        raise reader.error(
            f'it is of format {reader.format}, {DATASET_FILE} has {described["format"]}'
        )
    found = reader.num_records, reader.num_mix, reader.num_classes
    names = ('records', 'sources', 'classes')
    for name, count, wanted in zip(names, found, expected, strict=True):
        if count != wanted:
            raise reader.error(f'it holds {count} {name}, {DATASET_FILE} has {wanted}')
    return reader


def _fault_of(content: Any) -> str:
    """Return what is wrong with the content of ``dataset.json``; empty if nothing is."""
    if not isinstance(content, dict):
        return f'it holds {type(content).__name__}, expected an object'
    made = content.get('format')
    if type(made) is not int or made not in FORMATS:
        return f'it is of format {made!r}, this version reads {" and ".join(map(str, FORMATS))}'
    if content.get('encoding', FORMATS[made]) != FORMATS[made]:
        return f'encoding is {content["encoding"]!r}, expected {FORMATS[made]!r} in format {made}'
    for key, types in _TYPES.items():
        if key not in content:
            return f'{key} is missing'
        if not isinstance(content[key], types) or isinstance(content[key], bool):
            return f'{key} is {content[key]!r}'
    unknown = sorted(content.keys() - _TYPES.keys() - set(_OTHER_KEYS))
    if unknown:
        return f'it has the unknown key {unknown[0]!r}'
    if 'sha256' in content and content['sha256'] != description_digest(content):
        return 'it has been altered (SHA-256 differs)'
    shards, classes = content['shards'], content['classes']
    if not shards or not all(type(size) is int and size > 0 for size in shards):
        return 'shards must be the number of records of each, at least 1'
    if sum(shards) != content['num']:
        return f'num is {content["num"]}, but the shards sum up to {sum(shards)}'
    if classes is not None and len(classes) != content['num_classes']:
        return f'num_classes is {content["num_classes"]}, but {len(classes)} classes are named'
    if content['channel_order'] not in CHANNEL_ORDERS:
        return f'channel_order is {content["channel_order"]!r}, expected one of {CHANNEL_ORDERS}'
    return ''
