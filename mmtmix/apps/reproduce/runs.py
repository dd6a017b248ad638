"""One training run of a cell's config with one seed."""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import DictAction
from mmengine.logging import MMLogger

from mmtmix.checks import check_integer, check_numbers
from mmtmix.engine.stages import plan_stages
from mmtmix.utils import default_work_dir, load_config, without_watchers

from .cells import Cell

RECORD = 'run.json'
LAST = 'last.pth'
# what configs read from the environment; a shell that has one of these must not change others
VARIABLES = (
    *('PAIR', 'DATASET', 'ABLATION', 'ALPHA'),
    *('MASK_LAYERS', 'MASK_CHANNELS', 'MASK_KERNEL'),
    *('NET', 'NUM_IMAGES', 'STEPS', 'SPLIT', 'CLEAN', 'WARM_UP', 'TEACHER', 'SALIENCY'),
    *('SEARCH', 'MIXER', 'KAPPA', 'LABELS'),
)
# what differs between runs of one experiment, and what no result depends on
_NO_MATTER = (
    'work_dir',
    'randomness',
    'launcher',
    'resume',
    'load_from',
    'log_level',
    'visualizer',
)


class State(Enum):
    """How far a run is."""

    NOT_RUN = 'not run'
    STARTED = 'started'
    DONE = 'done'
    OUTDATED = 'made with another config'


class Experiment(NamedTuple):
    """What runs of one experiment share; its attributes are those of :class:`Run`."""

    config: str
    env: tuple[tuple[str, str], ...]
    options: tuple[str, ...]
    before: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """A config with its overrides and a seed; cells that share them share the run.

    Attributes:
        config: Path of the config.
        options: Its overrides, sorted, each ``name=value``.
        env: Environment variables that it reads, sorted.
        before: Commands to run first.
        seed: Of the run.
        root: The folder of all runs.
    """

    config: str
    options: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    before: tuple[str, ...]
    seed: int
    root: str

    @property
    def experiment(self) -> Experiment:
        """What it shares with runs of other seeds."""
        return Experiment(self.config, self.env, self.options, self.before)

    @property
    def folder(self) -> Path:
        """Its work dir."""
        name = os.path.relpath(default_work_dir(self.config), 'work_dirs')
        if self.options or self.env:
            # a path is told by the digest alone: it would make folders
            label = '_'.join(value for _, value in self.env if os.sep not in value)
            digest = hashlib.sha256(repr((self.options, self.env)).encode()).hexdigest()[:8]
            name = f'{name}-{label}-{digest}' if label else f'{name}-{digest}'
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
        """Digest of the configs of the run and all that it requires, with its overrides.

        What the commands before it train is required, too. Runs of different digests don't
        compare.
        """
        stages = _contents(self.config, self.env, self.options)
        # what they override is in the lines themselves
        made = [self._made_by(line) for line in self.before]
        text = json.dumps([stages, self.before, *made], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _made_by(self, line: str) -> list[dict[str, Any]]:
        """What matters of the config that a command to run first has; nothing without one."""
        variables, words = parse_command(line)
        arguments = words[2:] if words[0] == 'python' else words[1:]
        config = next((word for word in arguments if word.endswith('.py')), None)
        return [] if config is None else _contents(config, (*self.env, *variables.items()))

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
        command += ['--work-dir', str(self.folder), '--resume']
        if gpus > 1:
            command.append('--divide-batch')
        return [*command, '--cfg-options', f'randomness.seed={self.seed}', *self.options]


def runs_of(
    cell: Cell, seeds: int | tuple[int, ...] | None = None, root: str = 'work_dirs/reproduce'
) -> list[Run]:
    """The runs of a cell, one a seed.

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
    env = tuple(sorted(cell.env.items()))
    return [Run(cell.config, options, env, cell.before, seed, root) for seed in numbers]


def parse_command(line: str) -> tuple[dict[str, str], list[str]]:
    """What a command sets before its first word, as a shell reads it, and its words.

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


def _contents(
    config: str, env: tuple[tuple[str, str], ...], options: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """What matters of a config and of all that it requires, these first.

    Raises:
        FileNotFoundError: If a config isn't there.
        ValueError: If it can't be read; a config is code, and can fail in any way.
    """
    with environment(env), _quiet():
        try:
            stages = plan_stages(config, load_config(config, _parse(options)))
        except (Exception, SystemExit) as error:
            kind = FileNotFoundError if isinstance(error, FileNotFoundError) else ValueError
            reason = f'{type(error).__name__}: {error}'
            given = f' with {" ".join([*map("=".join, env), *options])}' if env or options else ''
            raise kind(f'{config}{given} cannot be read ({reason})') from error
    contents = [without_watchers(stage.cfg.to_dict()) for stage in stages]
    return [
        {name: value for name, value in content.items() if name not in _NO_MATTER}
        for content in contents
    ]


@contextmanager
def environment(variables: Mapping[str, str] | tuple[tuple[str, str], ...]) -> Iterator[None]:
    """Set what configs read for a while, and nothing else of it."""
    before = dict(os.environ)
    wanted = environment_of(variables)
    os.environ.clear()
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def environment_of(
    variables: Mapping[str, str] | tuple[tuple[str, str], ...],
) -> dict[str, str]:
    """This process's environment, with these of the variables that configs read alone."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return {**kept, **dict(variables)}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to ourselves what MMEngine says of each variable whenever a config is read."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _parse(options: Sequence[str]) -> dict[str, Any]:
    """Overrides as ``--cfg-options`` reads them."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    return parser.parse_args(['--cfg-options', *options]).cfg_options
