"""Settings of a generated set, and the description that identifies a set."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mmtmix.checks import check_choice, check_integer, check_number
from mmtmix.engine.digest import run_digest
from mmtmix.engine.digest_content import with_first_defaults
from mmtmix.engine.stages import plan_stages
from mmtmix.utils import file_digest, load_config

KEEP = ('finished', 'all')

_NOTHING = 'nothing'  # stands for a field that only the other description has


@dataclass(frozen=True)
class GenerationSettings:
    """Size of a generated set and how it is drawn.

    Attributes:
        num: Number of mixed images to make, >= 1.
        seed: Seed of all draws, >= 0.
        shard_size: Number of images per shard, >= 1; a kill loses at most one shard per process.
        batch_size: Number of mixes made at once, >= 1. The result depends on it: SuperMix stops
            for a whole batch when enough of its mixes are finished.
        keep: Mixes to keep. ``'finished'`` keeps those whose top classes, by the teacher, are the
            classes of all their images, as in the paper. ``'all'`` keeps every mix. Augments
            without a solver finish all.
        flip_prob: Probability that a source image is flipped horizontally, in [0, 1].

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    num: int
    seed: int = 0
    shard_size: int = 2000
    batch_size: int = 128
    keep: str = 'finished'
    flip_prob: float = 0.5

    def __post_init__(self) -> None:
        for name, least in (('num', 1), ('seed', 0), ('shard_size', 1), ('batch_size', 1)):
            check_integer(name, getattr(self, name), least)
        check_choice('keep', self.keep, KEEP)
        check_number('flip_prob', self.flip_prob, 0, 1)

    @property
    def shards(self) -> list[int]:
        """Return the number of images in each shard."""
        full, rest = divmod(self.num, self.shard_size)
        return [self.shard_size] * full + [rest] * (rest > 0)


def describe(
    settings: GenerationSettings, sources: Mapping[str, Any], num_sources: int
) -> dict[str, Any]:
    """Return everything that a set depends on, as plain JSON.

    Args:
        settings: Size and seed of the set.
        sources: Configs of the data set, the augment and the teacher, by name.
        num_sources: Number of images in the data set.

    Returns:
        Settings, configs, and a digest of every file that they name. That of a config is
        :func:`~mmtmix.engine.digest.run_digest`, which does not depend on how it is written.
        Defaults that have changed are written as
        :func:`~mmtmix.engine.digest_content.with_first_defaults` does, so that a set is not
        continued with other ones.
    """
    plain = json.loads(json.dumps(with_first_defaults(dict(sources)), default=str))
    files = {name: _file_digest(name) for name in sorted(set(_strings(plain)))}
    for label, config, variants in _variants(plain):
        files[label] = _config_digest(config, variants)
    files = {name: found for name, found in files.items() if found is not None}
    return dict(asdict(settings), num_sources=num_sources, files=files, **plain)


def digest(described: Mapping[str, Any]) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a description.

    Args:
        described: Description from :func:`describe`.
    """
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()[:16]


def differences(old: Any, new: Any, name: str = '') -> Iterator[str]:
    """Yield the fields in which two descriptions differ, with both values.

    Args:
        old: Description of the set in the folder.
        new: Description of the present run.
        name: Name of the field that holds both; empty for whole descriptions.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            inner = f'{name}.{key}' if name else key
            yield from differences(old.get(key, _NOTHING), new.get(key, _NOTHING), inner)
    # compared as `digest` does
    elif json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True):
        yield f'{name}: {old!r} there, {new!r} now'


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item)


def _variants(value: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield a label, path and variants of each config that is named with variants."""
    if isinstance(value, list):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return
    if isinstance(value.get('config'), str) and isinstance(value.get('variants'), dict):
        yield f'{value["config"]} {value["variants"]}', value['config'], value['variants']
    for item in value.values():
        yield from _variants(item)


def _file_digest(name: str) -> str | None:
    """Return the digest of a file, of a config with its bases; None if there is no such file."""
    if not name.endswith('.py'):
        return file_digest(name) if os.path.isfile(name) else None
    return _config_digest(name)


def _config_digest(name: str, variants: Mapping[str, Any] | None = None) -> str | None:
    """Return the digest of a config and of what it requires; None if there is no such file."""
    try:
        cfg = load_config(name, variants=variants)
    except FileNotFoundError:
        return None
    return run_digest(plan_stages(name, cfg, variants))
