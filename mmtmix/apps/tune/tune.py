"""Work on a study until it has enough trials."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from mmtmix.checks import check_integer
from mmtmix.utils import make_writable_folder
from mmtmix.utils.living_holder import check_claim

from .best import keep_best
from .settings import TuneSettings, agree_on
from .store import Held, TrialStore, describe, locked
from .trial import TrialFailed, TrialPruned, run_trial

_FAILURES = 3  # in a row, after which the space rather than a trial is at fault


def check_optuna() -> None:
    """Refuse to go on without Optuna.

    Raises:
        ImportError: If it can't be imported, with the command that installs it.
    """
    try:
        import optuna.storages.journal  # noqa: F401
    except ImportError as error:
        raise ImportError(f"tuning needs Optuna ({error}): pip install 'mmtmix[tune]'") from error


def tune(
    settings: TuneSettings,
    out: str | os.PathLike,
    num_trials: int,
    report: Callable[[str], object] = print,
) -> dict[str, Any] | None:
    """Run trials until the study has enough of them, and keep the best module.

    Several processes may work on one study, also on several machines that share its folder. A
    trial whose process was killed is taken up again, with the same parameters and the runs that it
    has. Trials that end with an error count as failed. One process alone draws the same parameters
    in each try.

    Args:
        settings: Settings of the study.
        out: Folder of the study: ``trials.journal``, ``trials/NUMBER/seedN`` and ``best``.
        num_trials: Number of trials of the study, >= 1, those of earlier calls and of other
            processes included.
        report: Function that takes a line about the progress.

    Returns:
        The content of ``best/best.json``; None if no trial is complete.

    Raises:
        ImportError: If Optuna is missing.
        OSError: If a file can't be written.
        RuntimeError: If a required stage fails, a search was killed, or three trials in a row
            fail.
        Stopped: If this process receives a signal to end.
        ValueError: If an argument is wrong, or the folder holds another study.
    """
    check_integer('--trials', num_trials, 1)
    check_optuna()
    make_writable_folder(out)
    with locked(out):
        agree_on(settings, out)
    store = TrialStore(out, settings, report)
    keep_best(store)  # a process may have been killed before it did
    failures, is_first = 0, True
    while True:
        # what killed processes left comes first, and again when no other trial is left to begin
        left = store.take_up() if is_first else None
        is_first = left is not None
        held = left or store.begin(num_trials) or store.take_up()
        if held is None:
            break
        try:
            failures = 0 if _attempt(store, held, num_trials, report) else failures + 1
        finally:
            held.claim.release()
        if failures >= _FAILURES:
            raise RuntimeError(
                f'{failures} trials in a row failed; see the reason of each above, and correct '
                'the config or --space'
            )
    if others := store.trials('RUNNING'):
        report(f'{len(others)} trials are run by other processes')
    return keep_best(store)


def _attempt(
    store: TrialStore, held: Held, num_trials: int, report: Callable[[str], object]
) -> bool:
    """Run a trial to its end, and return whether it did not fail."""
    from optuna.trial import TrialState

    number = held.trial.number
    report(f'trial {number} of {num_trials}: {describe(held.trial)}')
    try:
        values = run_trial(held, store.settings, report)
    except TrialPruned as why:
        held.trial.set_user_attr('reason', str(why))
        store.study.tell(number, state=TrialState.PRUNED)
        report(f'    pruned: {why}')
        return True
    except TrialFailed as why:
        held.trial.set_user_attr('reason', str(why))
        store.study.tell(number, state=TrialState.FAIL)
        report(f'    failed: {why}')
        return False
    check_claim(held.folder)  # another process may have taken it over meanwhile
    held.trial.set_user_attr('values', values)
    store.study.tell(number, sum(values) / len(values))
    best = keep_best(store)
    assert best is not None  # this trial is complete
    report(f'    mean {sum(values) / len(values):.4g}; the best is trial {best["trial"]}')
    return True
