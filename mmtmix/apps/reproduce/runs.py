"""Training runs of a cell, each with one seed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from mmtmix.checks import check_integer, check_numbers
from mmtmix.engine.digest import run_digest
from mmtmix.engine.run_record import DONE, FAILED, RUNNING, read_record, state_of
from mmtmix.engine.stages import Stage, plan_stages
from mmtmix.utils import load_config
from mmtmix.utils.config_options import parse_options
from mmtmix.utils.variants import variant_words
from mmtmix.utils.work_dirs import folder_of

from .experiments import LAST_FILE, Cell

LAST = LAST_FILE


class State(Enum):
    """State of a run. One of the last three belongs to another run, which does not count."""

    NOT_RUN = 'not run'
    RUNNING = 'running'
    STARTED = 'started'
    FAILED = 'failed'
    DONE = 'done'
    OUTDATED = 'made with another config'
    OTHER_SEED = 'made with another seed'
    OTHER_PROCESSES = 'made with another number of processes'

    @property
    def is_of_another_run(self) -> bool:
        """Whether the folder holds another run than the one that belongs there."""
        return self in (State.OUTDATED, State.OTHER_SEED, State.OTHER_PROCESSES)


class Experiment(NamedTuple):
    """The attributes of :class:`Run` that runs of all seeds share."""

    config: str
    variants: tuple[tuple[str, str], ...]
    options: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """A config with its overrides and a seed. Cells with the same ones share the run.

    Attributes:
        config: Path of the config.
        options: Overrides of the config, sorted, each ``name=value``.
        variants: Pairs of name and value of variants that the config declares, sorted.
        seed: Seed of the run, >= 0.
        root: Folder of all runs.
        gpus: Number of processes that share the batch, >= 1.
    """

    config: str
    options: tuple[str, ...]
    variants: tuple[tuple[str, str], ...]
    seed: int
    root: str
    gpus: int = 1

    @property
    def experiment(self) -> Experiment:
        """Return the experiment, which runs of other seeds share."""
        return Experiment(self.config, self.variants, self.options)

    @property
    def folder(self) -> Path:
        """Return the work dir of the run."""
        name = os.path.relpath(folder_of(self.config, dict(self.variants)), 'work_dirs')
        if self.options:
            name += f'-{hashlib.sha256(repr(self.options).encode()).hexdigest()[:8]}'
        return Path(self.root, name, f'seed{self.seed}')

    @property
    def state(self) -> State:
        """Return the state of the run, from the files in its folder, wherever it was made.

        Raises:
            FileNotFoundError: If a config does not exist.
            ValueError: If the record is damaged, or a config cannot be read.
        """
        return self.state_with(self.digest)

    def state_with(self, digest: Callable[[], str]) -> State:
        """Return the state of the run, from the files in its folder, wherever it was made.

        Args:
            digest: Function that returns the digest of the run, which is of its present config.

        Raises:
            ValueError: If the record is damaged.
        """
        record = self.record
        if not record:
            return State.NOT_RUN
        if record.get('digest') != digest():
            return State.OUTDATED
        # records of older versions lack fields
        if record.get('seed') not in (None, self.seed):
            return State.OTHER_SEED
        attempts = [record, *(record.get('earlier') or ())]
        if any(each.get('processes') not in (None, self.gpus) for each in attempts):
            return State.OTHER_PROCESSES
        state = state_of(self.folder, record)
        if state in (DONE, None) and (self.folder / LAST).is_file():
            return State.DONE
        return {RUNNING: State.RUNNING, FAILED: State.FAILED}.get(state or '', State.STARTED)

    @property
    def record(self) -> dict[str, Any]:
        """Return the record that the training wrote; empty if the run was never started.

        Raises:
            ValueError: If the file is damaged.
        """
        return read_record(self.folder)

    def digest(self) -> str:
        """Return the digest of what a result depends on, except the seed.

        Runs of different digests are not compared. See :func:`mmtmix.engine.digest.run_digest`.

        Raises:
            FileNotFoundError: If a config does not exist.
            ValueError: If a config cannot be read, or a variant does not fit it.
        """
        return run_digest(self.stages())

    def stages(self) -> list[Stage]:
        """Return what the run requires, in an order in which it can run, and itself last.

        Raises:
            FileNotFoundError: If a config does not exist.
            ValueError: If a config cannot be read, or a variant does not fit it.
        """
        return _plan(self.config, self.variants, self.options, self.seed)

    def command(self, tools: str | os.PathLike) -> list[str]:
        """Return the command that starts or resumes the run.

        Args:
            tools: Folder of the scripts of ``tools/``.
        """
        options = [f'randomness.seed={self.seed}', *self.options]
        return train_command(tools, self.gpus, self.config, self.variants, self.folder, options)


def train_command(
    tools: str | os.PathLike,
    gpus: int,
    config: str,
    variants: Iterable[tuple[str, str]],
    work_dir: str | os.PathLike,
    options: Sequence[str] = (),
) -> list[str]:
    """Return the command that starts a training, or continues it in its work dir.

    Args:
        tools: Folder of the scripts of ``tools/``.
        gpus: Number of processes that share the batch, >= 1.
        config: Path of the config.
        variants: Pairs of name and value.
        work_dir: Folder of its logs and checkpoints.
        options: Overrides, each ``name=value``.
    """
    if gpus > 1:
        command = [str(Path(tools, 'dist_train.sh')), config, str(gpus)]
    else:
        command = ['python', str(Path(tools, 'train.py')), config]
    command += [*variant_words(dict(variants)), '--work-dir', str(work_dir), '--resume']
    command += ['--divide-batch'] if gpus > 1 else []
    return [*command, *(['--cfg-options', *options] if options else [])]


def runs_of(
    cell: Cell,
    seeds: int | tuple[int, ...] | None = None,
    root: str = 'work_dirs/reproduce',
    gpus: int = 1,
) -> list[Run]:
    """Return the runs of a cell, one per seed.

    Args:
        cell: Cell with a config.
        seeds: Number of seeds, from 0, or their tuple; by default the seeds that count, or three.
        root: Folder of all runs.
        gpus: Number of processes per run, >= 1.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the cell is only quoted, a seed is negative, or a seed does not count.
    """
    if cell.quoted:
        raise ValueError(f'{cell.id} is only quoted: {cell.quoted}')
    check_integer('gpus', gpus, 1)
    if seeds is None:
        seeds = cell.seeds or 3
    if isinstance(seeds, (list, tuple)):
        check_numbers('seeds', seeds, least=0, whole=True)
        numbers = tuple(seeds)
    else:
        check_integer('seeds', seeds, 1, cure='give their number or a list of them')
        numbers = tuple(range(seeds))
    if cell.seeds and not set(numbers) <= set(cell.seeds):
        raise ValueError(f'{cell.id} is for the seeds {cell.seeds}, got {numbers}')
    options = tuple(sorted(f'{name}={value}' for name, value in cell.options.items()))
    variants = tuple(sorted(cell.variants.items()))
    return [Run(cell.config, options, variants, seed, root, gpus) for seed in numbers]


def _plan(
    config: str, variants: Sequence[tuple[str, str]], options: Sequence[str], seed: int
) -> list[Stage]:
    """Return the stages of a run of a config, and itself last.

    Raises:
        FileNotFoundError: If a config does not exist.
        ValueError: If it cannot be read; a config is code, and can fail in any way.
    """
    chosen = dict(variants)
    try:
        cfg = load_config(config, parse_options(options), chosen)
        return plan_stages(config, cfg, chosen, seed)
    except (Exception, SystemExit) as error:
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) else ValueError
        given = ' '.join([*map('='.join, variants), *options])
        raise kind(
            f'{config}{f" with {given}" if given else ""} cannot be read '
            f'({type(error).__name__}: {error})'
        ) from error
