"""The trials of a study, which several processes and machines share by one folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from mmtmix.utils.claim_waits import wait_for_folder
from mmtmix.utils.claims import Claim, ClaimedError, claim_folder

from .settings import TuneSettings

JOURNAL_FILE = 'trials.journal'
_GRACE = 30  # seconds after which Optuna takes the lock of a dead process away
_POLL = 0.2
_BEFORE_PRUNING = 5  # complete trials
_STARTUP = 10  # trials drawn at random before earlier values count, Optuna's own default


class Held(NamedTuple):
    """A trial that this process works on.

    Attributes:
        trial: Trial of Optuna, with all its parameters.
        folder: Folder of its runs.
        claim: Claim of the folder, to be released at the end.
    """

    trial: Any
    folder: Path
    claim: Claim


class TrialStore:
    """Give each process trials that no living process works on.

    Optuna's journal holds the trials. The process that works on a trial claims its folder. A trial
    that a killed process left is taken up again with the same parameters. The sampler is seeded by
    the number of earlier trials. So one process that is killed and started again draws the same
    parameters as one that was not.

    Args:
        out: Folder of the study.
        settings: Settings of the study.
        report: Function that takes a line about another process.
    """

    def __init__(
        self, out: str | os.PathLike, settings: TuneSettings, report: Callable[[str], object]
    ):
        import optuna
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        # an absolute path, since processes may start in different folders
        path = os.path.join(os.path.abspath(out), JOURNAL_FILE)
        lock = JournalFileOpenLock(path, _GRACE)
        self.out, self.settings, self._report = Path(out), settings, report
        self._space = {each.path: each.distribution for each in settings.space}
        _drop_half_line(path, lock)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.study = optuna.create_study(
            storage=optuna.storages.JournalStorage(JournalFileBackend(path, lock)),
            study_name='search',
            direction=optuna.study.StudyDirection[settings.direction.upper()],
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_BEFORE_PRUNING),
            load_if_exists=True,
        )

    def folder_of(self, number: int) -> Path:
        """Return the folder of a trial's runs.

        Args:
            number: Number of the trial, >= 0.
        """
        return self.out / 'trials' / f'{number:05d}'

    def trials(self, *states: str) -> list[Any]:
        """Return the trials of the study that were begun, as Optuna's frozen trials.

        Args:
            *states: Names of their states, such as ``'COMPLETE'``; all states if none is given.
        """
        return [
            trial
            for trial in self.study.get_trials(deepcopy=False)
            if trial.params.keys() == self._space.keys()
            and (not states or trial.state.name in states)
        ]

    def take_up(self) -> Held | None:
        """Return a trial that a process left when it was killed; None if there is none.

        Raises:
            OSError: If its folder can't be written to.
        """
        from optuna.trial import Trial, TrialState

        # a new trial resembles one of the dead until it is claimed, which ends the lock
        with locked(self.out):
            running = self.study.get_trials(states=[TrialState.RUNNING])
        for frozen in running:
            folder = self.folder_of(frozen.number)
            try:
                claim = claim_folder(folder, self._report)
            except ClaimedError:
                continue  # a living process works on it
            now = self.study.get_trials(deepcopy=False)[frozen.number]
            if now.state is not TrialState.RUNNING:  # it ended before the claim
                claim.release()
            elif now.params.keys() != self._space.keys():
                # killed while its parameters were drawn: another trial draws the same ones
                self.study.tell(now.number, state=TrialState.FAIL)
                claim.release()
            else:
                # Optuna has no public way to continue a trial
                return Held(Trial(self.study, now._trial_id), folder, claim)
        return None

    def begin(self, total: int) -> Held | None:
        """Return a new trial; None if the study has as many as it should.

        Args:
            total: Number of trials of the study, >= 1.

        Raises:
            OSError: If its folder can't be written to.
        """
        from optuna.samplers import TPESampler

        with locked(self.out):
            count = len(self.trials())
            if count >= total:
                return None
            self.study.sampler = TPESampler(
                n_startup_trials=_STARTUP, constant_liar=True, seed=self.settings.seed + count
            )
            trial = self.study.ask(self._space)
            folder = self.folder_of(trial.number)
            # within the lock, see `take_up`
            return Held(trial, folder, claim_folder(folder, self._report))


@contextmanager
def locked(out: str | os.PathLike) -> Iterator[None]:
    """Let one process at a time run the body, which takes a moment.

    Args:
        out: Folder of the study.
    """
    claim = None
    while claim is None:
        claim = wait_for_folder(Path(out, '.lock'), lambda: False, lambda line: None, poll=_POLL)
    try:
        yield
    finally:
        claim.release()


def _drop_half_line(path: str, lock: Any) -> None:
    """Cut off the last line of a journal if a full disk or a kill left half of it."""
    if not os.path.exists(path):
        return
    lock.acquire()
    try:
        with open(path, 'rb+') as file:
            content = file.read()
            if content and not content.endswith(b'\n'):
                file.truncate(content.rfind(b'\n') + 1)
    finally:
        lock.release()


def describe(trial: Any) -> str:
    """Return the parameters of a trial, as words of ``--cfg-options``.

    Args:
        trial: Trial of Optuna.
    """
    return ' '.join(options_of(trial))


def options_of(trial: Any) -> list[str]:
    """Return the parameters of a trial as overrides of the config.

    Args:
        trial: Trial of Optuna.
    """
    return [f'{path}={value}' for path, value in trial.params.items()]
