"""One trial: the same search with several seeds, each an ordinary run in its own work dir."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmtmix.apps.reproduce import run_child
from mmtmix.engine.stages import Stage, plan_stages
from mmtmix.utils import atomic_path, load_config
from mmtmix.utils.claim_waits import wait_for_folder
from mmtmix.utils.config_options import parse_options
from mmtmix.utils.variants import variant_words
from mmtmix.visualization import read_scalars

from .settings import TuneSettings
from .store import Held, options_of

PRODUCT = 'mixer.pth'
PARAMETERS_FILE = 'trial.json'
_EVERY = 2.0  # seconds between two polls of the log
_WHOLE = 100  # percent of a run's length


class TrialFailed(Exception):
    """A search that ended with an error, such as a loss that is not finite."""


class TrialPruned(Exception):
    """A trial that is worse than the median of the others so far."""


def run_trial(held: Held, settings: TuneSettings, report: Callable[[str], object]) -> list[float]:
    """Run the searches of a trial that are not finished, and return the metric of each.

    Args:
        held: The trial.
        settings: Settings of the study.
        report: Function that takes a line about the progress.

    Returns:
        Values of the metric after the last epoch, by seed.

    Raises:
        RuntimeError: If a required stage fails, or a search was killed.
        Stopped: If this process receives a signal to end, once the present search has ended.
        TrialFailed: If a search ends with an error, or the metric is not finite.
        TrialPruned: If the first search is worse than the median of the other trials.
        ValueError: If the validation has no such metric, or the folder holds another trial.
    """
    _own_folder(held)
    options = [*settings.options, *options_of(held.trial)]
    cfg = load_config(settings.config, parse_options(options), settings.variants)
    required = plan_stages(settings.config, cfg, settings.variants)[:-1]
    values: list[float] = []
    for seed in settings.seeds:
        search = _Search(held, settings, seed, cfg.train_cfg.max_epochs, required)
        values.append(search.run(report))
        report(f'    seed {seed}: {settings.metric} {values[-1]:.4g}')
        if not math.isfinite(values[-1]):
            raise TrialFailed(f'{settings.metric} of seed {seed} is {values[-1]}')
    return values


def _own_folder(held: Held) -> None:
    """Write the parameters into the folder, or compare them with those that its runs have."""
    path = held.folder / PARAMETERS_FILE
    own = json.dumps(held.trial.params, indent=1, sort_keys=True) + '\n'
    if path.is_file():
        if path.read_text(encoding='utf-8') != own:
            raise ValueError(
                f'{held.folder} holds runs of another trial ({path} differs); move it away'
            )
        return
    with atomic_path(path) as temporary:
        temporary.write_text(own, encoding='utf-8')


class _Search:
    """One run of a trial.

    Args:
        held: The trial.
        settings: Settings of the study.
        seed: Seed of the run.
        epochs: Number of epochs of the run, >= 1.
        required: Stages that the run requires.
    """

    def __init__(
        self,
        held: Held,
        settings: TuneSettings,
        seed: int,
        epochs: int,
        required: Sequence[Stage],
    ):
        self.trial, self.settings, self.seed, self.epochs = held.trial, settings, seed, epochs
        self._required = required
        self.folder = held.folder / f'seed{seed}'
        self.log = held.folder / f'seed{seed}.log'
        options = [*settings.options, *options_of(held.trial), f'randomness.seed={seed}']
        self.command = [
            *(sys.executable, '-m', 'mmtmix', 'train', settings.config),
            *variant_words(dict(settings.variants)),
            *('--work-dir', str(self.folder), '--resume', '--cfg-options', *options),
        ]
        self._missing: list[str] = []
        # the first run's validations count for pruning, whatever the time of each poll
        self._counts = settings.prune and seed == settings.seeds[0]
        self._is_worse = bool(self._counts and self._known() and self.trial.should_prune())

    def run(self, report: Callable[[str], object]) -> float:
        """Run the search unless it is finished, and return its metric after the last epoch.

        Args:
            report: Function that takes a line about another process.
        """
        for _ in range(2):
            if not (self.folder / PRODUCT).is_file():
                self._start(report)
            self._poll()
            self._check_poll()
            value = self._final_value()
            if value is not None:
                return value
            # killed between its last checkpoint and the validation after it
            shutil.rmtree(self.folder)
        raise TrialFailed(f'{self.folder} ended without a validation after its last epoch')

    def _start(self, report: Callable[[str], object]) -> None:
        """Run the search to its end in a process of its own."""
        self._check_poll()
        # a run whose parent was killed saves its state before it ends
        claim = wait_for_folder(self.folder, (self.folder / PRODUCT).is_file, report)
        if claim is None:
            return
        claim.release()
        with self.log.open('ab') as log:
            code = run_child(self.command, os.environ, log, self._poll, _EVERY)
        if code == 0:
            return
        self._poll()
        self._check_poll()
        absent = [stage for stage in self._required if not stage.is_finished]
        if absent:
            raise RuntimeError(
                f'{absent[0].produces}, which the search requires, was not made: {self._reason()}'
            )
        if code < 0 or code > 128:
            raise RuntimeError(
                f'the search was killed (exit status {code}), perhaps since the memory was full: '
                f'{self._reason()}. The same command goes on'
            )
        raise TrialFailed(self._reason())

    def _check_poll(self) -> None:
        """Raise an error for what the last poll of the log has found."""
        if self._missing:
            raise ValueError(
                f'the validation of {self.settings.config} has no metric '
                f'{self.settings.metric!r}; it has {", ".join(self._missing)}. Give one of them '
                'as --metric, with another --out'
            )
        if self._is_worse:
            raise TrialPruned(f'seed {self.seed} is worse than the median of the other trials')

    def _reason(self) -> str:
        """Return the last line that the run printed, and the command that repeats it."""
        lines = self.log.read_text(errors='replace').split('\n') if self.log.is_file() else []
        last = next((line for line in reversed(lines) if line.strip()), 'it printed nothing')
        return f'{last.strip()} (log: {self.log}; run: {shlex.join(self.command[1:])})'

    def _validations(self) -> list[dict[str, Any]]:
        try:
            return read_scalars(self.folder).val
        except (FileNotFoundError, ValueError):  # nothing is logged yet, or half a line
            return []

    def _final_value(self) -> float | None:
        """Return the metric after the last epoch; None if that was not validated."""
        last = [each for each in self._validations() if each.get('step') == self.epochs]
        return float(last[-1][self.settings.metric]) if last else None

    def _known(self) -> dict[int, float]:
        """Return the values that were reported for pruning, by percent of the run's length."""
        trials = self.trial.study.get_trials(deepcopy=False)
        return trials[self.trial.number].intermediate_values

    def _poll(self) -> bool:
        """Read the validations so far, and return whether the run should end now."""
        for record in self._validations():
            if self.settings.metric not in record:
                self._missing = sorted(record.keys() - {'step', 'time', 'data_time'})
                return True
            step = _WHOLE * record['step'] // self.epochs
            value = float(record[self.settings.metric])
            if not self._counts or step in self._known() or not math.isfinite(value):
                continue
            self.trial.report(value, step)
            # a single run that is finished is complete, however bad it is
            is_complete = step == _WHOLE and self.settings.num_seeds == 1
            self._is_worse |= not is_complete and self.trial.should_prune()
        return self._is_worse


def path_of(folder: Path, seed: int) -> Path:
    """Return the path of the module that a run of a trial makes.

    Args:
        folder: Folder of the trial.
        seed: Seed of the run.
    """
    return folder / f'seed{seed}' / PRODUCT
