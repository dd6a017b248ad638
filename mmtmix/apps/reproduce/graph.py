"""The jobs of a grid of runs, and which of them need the files of which others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mmtmix.engine.stages import Stage, words_of

from .runs import Experiment, Run, State


@dataclass(frozen=True)
class Job:
    """One training, search or generation, which one process or launch runs.

    Attributes:
        key: Name of the job in its graph: the file that a required stage produces, or the folder
            of a run.
        stage: What it runs.
        requires: Keys of the jobs whose files it uses, sorted.
        run: The run of a grid; None for a stage that runs require.
    """

    key: str
    stage: Stage = field(compare=False, repr=False)
    requires: tuple[str, ...] = ()
    run: Run | None = None

    @property
    def folder(self) -> str:
        """Work dir of the job."""
        return self.key if self.run is not None else os.path.dirname(self.key)

    @property
    def is_done(self) -> bool:
        """Whether its result exists, by the files that this process finds.

        Raises:
            ValueError: If the record of a run is damaged.
        """
        if self.run is None:
            return self.stage.is_finished
        return self.run.state is State.DONE


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

    def missing(self) -> JobGraph:
        """Return the jobs that are left to do, without requirements that are done.

        A stage that only a finished job requires isn't among them.

        Raises:
            ValueError: If the record of a run is damaged.
        """
        wanted = {key for key, job in self.items() if job.run is not None and not job.is_done}
        for key in reversed(list(self)):
            if key in wanted:
                wanted.update(other for other in self[key].requires if not self[other].is_done)
        return JobGraph(
            Job(key, job.stage, tuple(each for each in job.requires if each in wanted), job.run)
            for key, job in self.items()
            if key in wanted
        )


def job_graph(runs: Sequence[Run]) -> JobGraph:
    """Return the jobs of runs and of all stages that these require, each once.

    Args:
        runs: Runs of a grid; a run that is listed twice is one job.

    Raises:
        FileNotFoundError: If a config does not exist.
        ValueError: If a config cannot be read, or two runs require one file of different stages.
    """
    planned: dict[Experiment, list[Stage]] = {}
    jobs: dict[str, Job] = {}
    for run in dict.fromkeys(runs):
        if run.experiment not in planned:  # seeds share it
            planned[run.experiment] = run.stages()
        for stage in planned[run.experiment]:
            needed = (os.path.normpath(each['produces']) for each in stage.cfg.get('requires', ()))
            requires = tuple(sorted(set(needed)))
            if stage.produces is None:
                key = str(run.folder)
                jobs[key] = Job(key, stage, requires, run)
                continue
            job = Job(stage.produces, stage, requires)
            other = jobs.setdefault(stage.produces, job)
            if _setting(other) != _setting(job):
                raise ValueError(
                    f'{stage.produces} is produced by {_setting(other)[0]} and, for {run.folder}, '
                    f'by {_setting(job)[0]}; give each its own work dir'
                )
    return JobGraph(jobs.values())


def _setting(job: Job) -> tuple[str, tuple[str, ...]]:
    """Return the command line words and the requirements that tell two stages apart."""
    stage = job.stage
    return words_of(stage.config, stage.variants, stage.options), job.requires
