"""Digests of runs. Two runs have the same digest if a Runner reads the same from both."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmtmix.utils import file_digest, is_shipped, load_config, shipped_file

from .digest_content import WITHOUT_EFFECT, content_of, type_name, with_first_defaults
from .stage_seeds import shifted_content
from .stages import Stage, plan_stages, required_files

_DIGITS = 16
_ADDRESS = re.compile(r' at 0x[0-9a-f]+')


def run_digest(stages: Sequence[Stage]) -> str:
    """Return the digest of a run and of all that it requires.

    It covers the values that a Runner reads, and the digests of the required runs. A file of a
    required run counts by the digest of that run, and not by its path. A config whose path is a
    value, such as that of a teacher, counts by its own digest. Weights of the package,
    ``mmtmix://NAME``, count by the digest of their bytes. A default that has changed since
    the first release counts as :func:`with_first_defaults` writes it. Names of other variables,
    the order of entries, logs, pictures and work dirs do not count. Neither do the seed of the run
    itself and arguments that change time or memory alone. Where the seeds of required runs follow
    from that of the run (``stage_seeds='run'``), they count as for seed 0, so runs of all seeds
    have one digest.

    Args:
        stages: Stages from :func:`~mmtmix.engine.stages.plan_stages`; the last one is the run.

    Returns:
        16 hexadecimal digits.

    Raises:
        FileNotFoundError: If a config that is named requires one that isn't there.
        ValueError: If a config that is named can't be read.
    """
    return _Digests(stages).of(stages[-1], has_seed=False)


def stage_digests(stages: Sequence[Stage]) -> list[str]:
    """Return the digest of each stage of a plan: that of :func:`run_digest` if it is run alone.

    Args:
        stages: Stages from :func:`~mmtmix.engine.stages.plan_stages`.

    Raises:
        FileNotFoundError: If a config that is named requires one that isn't there.
        ValueError: If a config that is named can't be read.
    """
    digests = _Digests(stages)
    return [digests.of(stage, has_seed=False) for stage in stages]


def changed_digest(digest: str, changes: Sequence[str]) -> str:
    """Return the digest of a run whose result something beside its config changes.

    Args:
        digest: Digest of the config.
        changes: Descriptions of what changes it, such as ``'--amp'``; none leave the digest as it
            is.
    """
    if not changes:
        return digest
    text = json.dumps([digest, *sorted(changes)])
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


class _Digests:
    """Digests of the runs of one plan, each computed once."""

    def __init__(self, stages: Sequence[Stage], named: dict[tuple[str, str], str] | None = None):
        self._stages = {stage.produces: stage for stage in stages if stage.produces}
        self._digests: dict[tuple[str, int], str] = {}
        # digests of configs whose path is a value, shared by all plans
        self._named = {} if named is None else named
        for stage in stages[:-1]:
            if not stage.options:  # a value that names its config means the one without them
                self._named[_name(stage.config, stage.variants)] = self._required(stage.produces)

    def of(self, stage: Stage, has_seed: bool = True, shift: int | None = None) -> str:
        """Return the digest of a run.

        Args:
            stage: The run, one of the plan.
            has_seed: Whether its own seed counts.
            shift: What is taken off the seeds of runs that were given seeds of their own, >= 0; by
                default what the run has added to those that it requires.
        """
        shift = stage.seed_shift if shift is None else shift
        required = set(required_files(stage.cfg))
        folders = self._folders(required, shift)
        content = shifted_content(content_of(stage.cfg, has_seed), shift)
        plain = _plain(
            with_first_defaults(content), lambda text: _by_maker(text, folders), self._config
        )
        # a required run counts even if no field names its file
        makers = [_by_maker(path, folders) for path in required]
        files = [needed['produces'] for needed in stage.cfg.get('requires') or ()]
        makers = sorted([*makers, *(_by_bytes(file) for file in files if is_shipped(file))])
        text = json.dumps([plain, makers], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]

    def _folders(self, required: set[str], shift: int) -> dict[str, str]:
        """Return the digests of required runs by their work dirs, nested ones first.

        Raises:
            ValueError: If two runs have one work dir, where neither's files can be told apart.
        """
        found: dict[str, str] = {}
        for path in sorted(self._reach(required)):
            folder, digest = os.path.dirname(path), self._required(path, shift)
            if found.setdefault(folder, digest) != digest:
                raise ValueError(
                    f'two required runs write into {folder}; give each a work dir of its own'
                )
        return dict(sorted(found.items(), key=lambda each: -len(each[0])))

    def _required(self, produces: str | None, shift: int = 0) -> str:
        assert produces is not None  # only the last stage produces none, and no run requires it
        if (produces, shift) not in self._digests:
            found = self.of(self._stages[produces], shift=shift)
            self._digests[produces, shift] = found
        return self._digests[produces, shift]

    def _reach(self, paths: set[str]) -> set[str]:
        """Return the files of required runs and of all runs that these require."""
        found: set[str] = set()
        todo = list(paths)
        while todo:
            path = todo.pop()
            if path not in found:
                found.add(path)
                todo += required_files(self._stages[path].cfg)
        return found

    def _config(self, config: str, variants: Mapping[str, Any]) -> str | None:
        """Return the digest of a config by its path; None if there is no such file."""
        key = _name(config, variants)
        if key not in self._named:
            self._named[key] = ''  # while it is read, since a config may name itself
            try:
                cfg = load_config(config, variants=variants)
            except FileNotFoundError:
                return None
            stages = plan_stages(config, cfg, variants)
            self._named[key] = _Digests(stages, self._named).of(stages[-1])
        return self._named[key] or None


def _by_maker(text: str, folders: Mapping[str, str]) -> str:
    """Return a path with the digest of a required run in place of its folder; others as is."""
    path = os.path.normpath(text) if os.sep in text else text
    for folder, digest in folders.items():
        if path == folder or path.startswith(folder + os.sep):
            return digest + path.removeprefix(folder)
    return text


def _by_bytes(name: str) -> str:
    """Return the name of weights of the package with the digest of their file in place of NAME."""
    return f'mmtmix://{file_digest(shipped_file(name), _DIGITS)}'


def _plain(
    value: Any,
    shorten: Callable[[str], str],
    digest_of: Callable[[str, Mapping[str, Any]], str | None],
) -> Any:
    """Return a value in types of JSON, with digests in place of paths."""
    if isinstance(value, Mapping):
        idle = WITHOUT_EFFECT.get(type_name(value), ())
        items = {str(name): item for name, item in value.items() if name not in idle}
        named = items.get('config')
        if isinstance(named, str) and named.endswith('.py'):
            digest = digest_of(named, items.get('variants') or {})
            if digest is not None:
                items = {name: item for name, item in items.items() if name != 'variants'}
                items['config'] = digest
        return {name: _plain(item, shorten, digest_of) for name, item in items.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, shorten, digest_of) for item in value]
    if isinstance(value, str):
        return _by_bytes(value) if is_shipped(value) else shorten(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (set, frozenset)):
        return sorted(repr(item) for item in value)
    if hasattr(value, '__qualname__'):  # a class or a function, as configs of other tools have
        return f'{value.__module__}.{value.__qualname__}'
    return _ADDRESS.sub('', repr(value))


def _name(config: str, variants: Mapping[str, Any]) -> tuple[str, str]:
    """Return a key of a config and its variants."""
    values = {name: str(value) for name, value in variants.items()}
    return os.path.normpath(config), json.dumps(values, sort_keys=True)
