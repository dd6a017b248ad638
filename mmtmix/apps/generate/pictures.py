"""Picture files of a generated set."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mmtmix.datasets.mixed_shards import ShardReader, read_dataset_file, shard_name
from mmtmix.utils.claim_queue import ClaimQueue


def write_pictures(folder: Path) -> Path:
    """Write every image of a complete set as ``images/shard-00000/00012_bag+shirt.png``.

    A shard whose pictures exist is left out. The folder of a shard appears when it is complete.
    Several processes share the work, and each returns when all pictures are there.

    Args:
        folder: Folder of the set.

    Returns:
        The folder of the pictures.

    Raises:
        FileNotFoundError: If the set is not complete.
        ValueError: If a shard is damaged.
    """
    described = read_dataset_file(folder)
    out = folder / 'images'
    out.mkdir(exist_ok=True)

    def path_of(number: int) -> Path:
        return out / Path(shard_name(number)).stem

    def missing() -> list[int]:
        return [n for n in range(len(described['shards'])) if not path_of(n).is_dir()]

    def clean(number: int) -> None:
        for left in out.glob(f'.{path_of(number).name}.*'):
            shutil.rmtree(left, ignore_errors=True)

    def write(number: int) -> None:
        reader = ShardReader(folder / shard_name(number), described['settings_digest'], number)
        _write_shard(reader, path_of(number), described['classes'])

    with ClaimQueue(missing, path_of, clean) as queue:
        for number in queue:
            queue.finish(number, partial(write, number))
    return out


def _write_shard(reader: ShardReader, target: Path, names: Sequence[str] | None) -> None:
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f'.{target.name}.'))
    try:
        temporary.chmod(0o755)
        for record, classes in enumerate(reader.column('classes').tolist()):
            label = '+'.join(_plain(names[c] if names else str(c)) for c in classes)
            (temporary / f'{record:05d}_{label}.png').write_bytes(reader.png(record))
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _plain(name: str) -> str:
    """Return a class name without the characters that a file name should not have."""
    return re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-')[:30]
