"""The order in which the jobs of a graph start, whoever runs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mmtmix.checks import check_number


class Scheduler:
    """Jobs that are ready, those with the longest chain of jobs behind them first.

    This is list scheduling by the critical path. It takes at most ``2 - 1 / workers`` times as
    long as the best order (Graham, 1969: Bounds on multiprocessing timing anomalies).

    A job is ready if all that it requires is done. It is started once. If it fails, the jobs that
    need it can't run, and all others still do.

    Args:
        requires: Keys of the required jobs by the key of each job. A job comes after those that it
            requires.
        seconds: Expected time of each job, >= 0. A job without one counts as long as the mean of
            the others.

    Attributes:
        running: Keys of the jobs that were started and have not ended.
        done: Keys of the jobs that are done.
        failed: Keys of the jobs that failed.
        blocked: For each job that can't run, the failed job that it needs.

    Raises:
        TypeError: If a time is no number.
        ValueError: If a time is negative, or a job comes before one that it requires.
    """

    def __init__(
        self, requires: Mapping[str, Sequence[str]], seconds: Mapping[str, float] | None = None
    ):
        self._requires = {key: frozenset(others) for key, others in requires.items()}
        self._needed_by: dict[str, list[str]] = {key: [] for key in requires}
        seen: set[str] = set()
        for key, others in self._requires.items():
            for other in others:
                if other not in seen:
                    raise ValueError(f'job {key} comes before {other}, which it requires')
                self._needed_by[other].append(key)
            seen.add(key)
        self.chains = chain_seconds(requires, expected_seconds(requires, seconds or {}))
        self._waiting = dict.fromkeys(requires)  # in the given order
        self.running: set[str] = set()
        self.done: set[str] = set()
        self.failed: set[str] = set()
        self.blocked: dict[str, str] = {}

    @property
    def is_over(self) -> bool:
        """Whether nothing runs and nothing can start."""
        return not self.running and not self._waiting

    def ready(self) -> list[str]:
        """Return the keys of the jobs that can start now, in the order in which they should."""
        found = [key for key in self._waiting if self._requires[key] <= self.done]
        return sorted(found, key=lambda key: -self.chains[key])  # stable: ties as given

    def start(self, key: str) -> None:
        """Note that a job was started.

        Args:
            key: Key of a job that is ready.

        Raises:
            ValueError: If it isn't ready.
        """
        if key not in self._waiting or not self._requires[key] <= self.done:
            raise ValueError(f'job {key} is not ready to start')
        del self._waiting[key]
        self.running.add(key)

    def finish(self, key: str) -> None:
        """Note that a running job is done.

        Args:
            key: Key of the job.

        Raises:
            KeyError: If it isn't running.
        """
        self.running.remove(key)
        self.done.add(key)

    def fail(self, key: str) -> list[str]:
        """Note that a running job failed.

        Args:
            key: Key of the job.

        Returns:
            The keys of the jobs that can't run any more.

        Raises:
            KeyError: If it isn't running.
        """
        self.running.remove(key)
        self.failed.add(key)
        found: list[str] = []
        todo = list(self._needed_by[key])
        while todo:
            each = todo.pop(0)
            if each in self._waiting:
                del self._waiting[each]
                self.blocked[each] = key
                found.append(each)
                todo += self._needed_by[each]
        return found


def expected_seconds(
    keys: Iterable[str], seconds: Mapping[str, float], default: float = 1.0
) -> dict[str, float]:
    """Return a time for each job; the mean of the known ones where none is known.

    Args:
        keys: Keys of the jobs.
        seconds: Known times by key, >= 0; those of other jobs are ignored.
        default: Time of each job if none is known, >= 0.

    Raises:
        TypeError: If a time is no number.
        ValueError: If a time is negative.
    """
    keys = list(keys)
    known = {key: seconds[key] for key in keys if key in seconds}
    for key, value in known.items():
        check_number(f'seconds of {key}', value, 0)
    mean = sum(known.values()) / len(known) if known else default
    return {key: known.get(key, mean) for key in keys}


def chain_seconds(
    requires: Mapping[str, Sequence[str]], seconds: Mapping[str, float]
) -> dict[str, float]:
    """Return, for each job, the time of the longest chain of jobs that begins with it.

    The longest of all is the critical path of the graph: no number of workers is faster.

    Args:
        requires: Keys of the required jobs by the key of each job, which comes after them.
        seconds: Time of each job.
    """
    behind = dict.fromkeys(requires, 0.0)  # of the longest chain after each job
    chains: dict[str, float] = {}
    for key in reversed(list(requires)):
        chains[key] = seconds[key] + behind[key]
        for other in requires[key]:
            behind[other] = max(behind[other], chains[key])
    return chains
