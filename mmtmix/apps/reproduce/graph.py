"""The jobs of a grid of runs, and which of them need the files of which others."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from mmtmix.engine.digest import run_digest, stage_digests
from mmtmix.engine.recording import seed_of
from mmtmix.engine.run_record import read_record
from mmtmix.engine.stage_seeds import OF_RUN, STAGE_SEEDS
from mmtmix.engine.stages import Stage, check_maker
from mmtmix.utils.config_options import option_words

from .runs import Experiment, Run, State, train_command


@dataclass(frozen=True)
class Job:
    """One training, search or generation, which one process or launch runs.

    Attributes:
        key: Name of the job in its graph: the file that a required stage produces, or the folder
            of a run.
        stage: What it runs.
        requires: Keys of the jobs whose files it uses, sorted.
        run: The run of a grid; None for a stage that runs require.
        digest: Digest of what it runs, by the config when the graph was made; None if unknown.
        gpus: Number of processes that share the batch, >= 1.
    """

    key: str
    stage: Stage = field(compare=False, repr=False)
    requires: tuple[str, ...] = ()
    run: Run | None = None
    digest: str | None = None
    gpus: int = 1

    @property
    def folder(self) -> str:
        """Work dir of the job."""
        return self.key if self.run is not None else os.path.dirname(self.key)

    @property
    def state(self) -> State:
        """State by the files that this process finds; of a stage, whether it is done.

        A stage without a record counts if its file exists, as in ``mmtmix train``.

        Raises:
            ValueError: If the record is damaged.
        """
        if self.run is not None:
            return self.run.state_with(lambda: self.digest or '')
        record = read_record(self.folder)
        if None not in (self.digest, found := record.get('digest')) and found != self.digest:
            return State.OUTDATED
        seeds = record.get('seed'), seed_of(self.stage)
        if None not in seeds and seeds[0] != seeds[1]:
            return State.OTHER_SEED
        return State.DONE if self.stage.is_finished else State.NOT_RUN

    @property
    def is_done(self) -> bool:
        """Whether its result exists.

        Raises:
            ValueError: If the record of a run is damaged.
        """
        return self.state is State.DONE

    def command(self, tools: str | os.PathLike) -> list[str]:
        """Return the command that starts or continues the job.

        Args:
            tools: Folder of the scripts of ``tools/``.
        """
        if self.run is not None:
            return self.run.command(tools)
        stage = self.stage
        variants = [(name, str(value)) for name, value in stage.variants.items()]
        options = option_words(stage.options)[1:]  # without the flag
        return train_command(tools, self.gpus, stage.config, variants, self.folder, options)


class JobGraph(Mapping[str, Job]):
    """Jobs by key, each after those that it requires.

    Args:
        jobs: Jobs in an order in which they can run one after the other.

    Raises:
        ValueError: If a job comes before one that it requires, or two have one key.
    """

    def __init__(self, jobs: Iterable[Job]):
        self._jobs: dict[str, Job] = {}
        for job in jobs:
            missing = [key for key in job.requires if key not in self._jobs]
            if missing or job.key in self._jobs:
                fault = f'comes before {missing[0]}' if missing else 'is there twice'
                raise ValueError(f'job {job.key} {fault}')
            self._jobs[job.key] = job

    def __getitem__(self, key: str) -> Job:
        return self._jobs[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)

    def requires(self) -> dict[str, tuple[str, ...]]:
        """Return the keys that each job requires, by its key."""
        return {key: job.requires for key, job in self.items()}

    def part(self, keys: Iterable[str]) -> JobGraph:
        """Return some of the jobs, which require each other alone.

        Args:
            keys: Keys of the jobs.
        """
        wanted = set(keys)
        return JobGraph(
            replace(job, requires=tuple(each for each in job.requires if each in wanted))
            for key, job in self.items()
            if key in wanted
        )

    def of_another_run(self) -> dict[str, State]:
        """Return the states of jobs whose folders hold another run, by key.

        Jobs whose record is damaged are not among them.
        """
        found: dict[str, State] = {}
        for key, job in self.items():
            with suppress(ValueError):
                if (state := job.state).is_of_another_run:
                    found[key] = state
        return found

    def missing(self, runs: Iterable[str] | None = None) -> JobGraph:
        """Return the jobs that are left to do, without requirements that are done.

        A stage that only a finished job requires isn't among them.

        Args:
            runs: Keys of the runs that are left; by default those that are not done.

        Raises:
            ValueError: If the record of a run is damaged.
        """
        if runs is None:
            wanted = {key for key, job in self.items() if job.run is not None and not job.is_done}
        else:
            wanted = set(runs)
        for key in reversed(list(self)):
            if key in wanted:
                wanted.update(other for other in self[key].requires if not self[other].is_done)
        return self.part(wanted)


def job_graph(
    runs: Sequence[Run], on_fault: Callable[[Run, Exception], object] | None = None
) -> JobGraph:
    """Return the jobs of runs and of all stages that these require, each once.

    Args:
        runs: Runs of a grid; a run that is listed twice is one job.
        on_fault: Function that takes a run whose config cannot be read, and the error. Such a run
            is left out. Without the function the error is raised.

    Raises:
        FileNotFoundError: If a config does not exist.
        ValueError: If a config cannot be read, or two runs require one file of different stages.
    """
    planned: dict[Experiment, list[tuple[Stage, str | None]] | Exception] = {}
    jobs: dict[str, Job] = {}
    for run in dict.fromkeys(runs):
        stages = planned.get(run.experiment)
        if stages is None:
            stages = _plan(run, jobs)
            if not _is_of_one_seed(stages):
                planned[run.experiment] = stages
        if isinstance(stages, Exception):
            if on_fault is None:
                raise stages
            on_fault(run, stages)
            continue
        for stage, digest in stages:
            needed = (os.path.normpath(each['produces']) for each in stage.cfg.get('requires', ()))
            requires = tuple(sorted(set(needed)))
            if stage.produces is None:
                key = str(run.folder)
                jobs[key] = Job(key, stage, requires, run, digest, run.gpus)
                continue
            job = Job(stage.produces, stage, requires, None, digest, run.gpus)
            other = jobs.setdefault(stage.produces, job)
            check_maker(other.stage, stage.maker, str(run.folder))
    return JobGraph(jobs.values())


def _is_of_one_seed(stages: Sequence[tuple[Stage, str | None]] | Exception) -> bool:
    """Return whether the stages that a run requires have seeds that follow from its own."""
    return not isinstance(stages, Exception) and stages[-1][0].cfg.get(STAGE_SEEDS) == OF_RUN


def _plan(run: Run, known: Container[str]) -> list[tuple[Stage, str | None]] | Exception:
    """Return the stages of a run with their digests, or the error of a config that can't be read.

    Args:
        run: A run.
        known: Files of stages that are jobs already. If all stages are, their digests are None.
    """
    try:
        stages = run.stages()
        if all(stage.produces in known for stage in stages[:-1]):
            return [*((stage, None) for stage in stages[:-1]), (stages[-1], run_digest(stages))]
        return list(zip(stages, stage_digests(stages), strict=True))
    except (OSError, ValueError) as error:
        return error
