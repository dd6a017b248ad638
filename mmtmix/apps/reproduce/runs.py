"""One training run of a cell's config with one seed."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import DictAction

from mmtmix.checks import check_integer, check_numbers
from mmtmix.engine.digest import run_digest
from mmtmix.engine.stages import plan_stages
from mmtmix.utils import load_config
from mmtmix.utils.variants import parse_variants, variant_words
from mmtmix.utils.work_dirs import folder_of

from .experiments import Cell

RECORD = 'run.json'
LAST = 'last.pth'


class State(Enum):
    """How far a run is."""

    NOT_RUN = 'not run'
    STARTED = 'started'
    DONE = 'done'
    OUTDATED = 'made with another config'


class Experiment(NamedTuple):
    """What runs of one experiment share; its attributes are those of :class:`Run`."""

    config: str
    variants: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    before: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """A config with its overrides and a seed; cells that share them share the run.

    Attributes:
        config: Path of the config.
        options: Its overrides, sorted, each ``name=value``.
        variants: Values, by name, of variants that it declares, sorted.
        before: Commands to run first.
        seed: Of the run.
        root: The folder of all runs.
    """

    config: str
    options: tuple[str, ...]
    variants: tuple[tuple[str, str], ...]
    before: tuple[str, ...]
    seed: int
    root: str

    @property
    def experiment(self) -> Experiment:
        """What it shares with runs of other seeds."""
        return Experiment(self.config, self.variants, self.options, self.before)

    @property
    def folder(self) -> Path:
        """Its work dir."""
        name = os.path.relpath(folder_of(self.config, dict(self.variants)), 'work_dirs')
        if self.options:
            name += f'-{hashlib.sha256(repr(self.options).encode()).hexdigest()[:8]}'
        return Path(self.root, name, f'seed{self.seed}')

    @property
    def state(self) -> State:
        """How far it is, by what is in its folder."""
        if not self.record:
            return State.NOT_RUN
        if self.record.get('digest') != self.digest():
            return State.OUTDATED
        return State.DONE if (self.folder / LAST).is_file() else State.STARTED

    @property
    def record(self) -> dict[str, Any]:
        """What was noted of it; empty if it never began.

        Raises:
            ValueError: If the note is damaged.
        """
        path = self.folder / RECORD
        if not path.is_file():
            return {}
        cure = 'move its folder aside to run this anew'
        try:
            record = json.loads(path.read_text(encoding='utf-8'))
        except ValueError as error:
            raise ValueError(f'{path} is damaged ({error}); {cure}') from error
        if not isinstance(record, dict) or not record:
            raise ValueError(f'{path} is damaged (no record); {cure}')
        return record

    def digest(self) -> str:
        """Return the digest of what a result depends on, seed apart.

        Runs of different digests don't compare. See :func:`mmtmix.engine.digest.run_digest`; what
        the commands before it train is required, too.

        Raises:
            FileNotFoundError: If a config isn't there.
            ValueError: If one can't be read, or a variant doesn't fit it.
        """
        own = _digest(self.config, self.variants, self.options)
        if not self.before:
            return own
        # what they override is in the lines themselves
        text = json.dumps([own, self.before, *map(_made_by, self.before)])
        return hashlib.sha256(text.encode()).hexdigest()[: len(own)]

    def command(self, tools: str | os.PathLike, gpus: int = 1) -> list[str]:
        """What trains it, or goes on with it.

        Args:
            tools: The folder of our tools.
            gpus: Processes.
        """
        if gpus > 1:
            command = [str(Path(tools, 'dist_train.sh')), self.config, str(gpus)]
        else:
            command = ['python', str(Path(tools, 'train.py')), self.config]
        command += [
            *variant_words(dict(self.variants)),
            '--work-dir',
            str(self.folder),
            '--resume',
        ]
        if gpus > 1:
            command.append('--divide-batch')
        return [*command, '--cfg-options', f'randomness.seed={self.seed}', *self.options]


def runs_of(
    cell: Cell, seeds: int | tuple[int, ...] | None = None, root: str = 'work_dirs/reproduce'
) -> list[Run]:
    """Return the runs of a cell, one per seed.

    Args:
        cell: With a config.
        seeds: How many, from 0, or which; by default those that count, or three.
        root: The folder of all runs.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the cell is only quoted, a seed is negative, or it is none of those that
            count.
    """
    if cell.quoted:
        raise ValueError(f'{cell.id} is only quoted: {cell.quoted}')
    if seeds is None:
        seeds = cell.seeds or 3
    if isinstance(seeds, (list, tuple)):
        check_numbers('seeds', seeds, least=0, whole=True)
        numbers = tuple(seeds)
    else:
        check_integer('seeds', seeds, 1, cure='how many there are; or list them')
        numbers = tuple(range(seeds))
    if cell.seeds and not set(numbers) <= set(cell.seeds):
        raise ValueError(f'{cell.id} is for the seeds {cell.seeds}, got {numbers}')
    options = tuple(sorted(f'{name}={value}' for name, value in cell.options.items()))
    variants = tuple(sorted(cell.variants.items()))
    return [Run(cell.config, options, variants, cell.before, seed, root) for seed in numbers]


def parse_command(line: str) -> tuple[dict[str, str], list[str]]:
    """Return what a command sets before its first word, as a shell reads it, and its words.

    Args:
        line: Command line.

    Raises:
        ValueError: If nothing is left to run.
    """
    words = shlex.split(line)
    variables = {}
    while words and '=' in words[0]:
        name, _, value = words.pop(0).partition('=')
        variables[name] = value
    if not words:
        raise ValueError(f'a command to run first runs nothing: {line!r}')
    return variables, words


def _digest(config: str, variants: Sequence[tuple[str, str]], options: Sequence[str] = ()) -> str:
    """Return the digest of a run of a config.

    Raises:
        FileNotFoundError: If a config isn't there.
        ValueError: If it can't be read; a config is code, and can fail in any way.
    """
    chosen = dict(variants)
    try:
        cfg = load_config(config, _parse(options), chosen)
        return run_digest(plan_stages(config, cfg, chosen))
    except (Exception, SystemExit) as error:
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) else ValueError
        given = ' '.join([*map('='.join, variants), *options])
        raise kind(
            f'{config}{f" with {given}" if given else ""} cannot be read '
            f'({type(error).__name__}: {error})'
        ) from error


def _made_by(line: str) -> str | None:
    """Return the digest of the config that a command to run first has; None without one."""
    _, words = parse_command(line)
    arguments = words[2:] if words[0] == 'python' else words[1:]
    config = next((word for word in arguments if word.endswith('.py')), None)
    if config is None:
        return None
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument('--variant', nargs='+', action='extend', default=[])
    chosen = parse_variants(parser.parse_known_args(arguments)[0].variant)
    return _digest(config, tuple(chosen.items()))


def _parse(options: Sequence[str]) -> dict[str, Any]:
    """Return overrides as ``--cfg-options`` reads them."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    return parser.parse_args(['--cfg-options', *options]).cfg_options
