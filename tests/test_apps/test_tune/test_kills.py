"""Studies whose processes are killed, and several processes on one study."""

import multiprocessing
import os
import time

import pytest

from mmtmix.apps.tune import store as store_module
from mmtmix.apps.tune import tune
from mmtmix.apps.tune.best import keep_best
from mmtmix.apps.tune.store import JOURNAL_FILE, TrialStore

from .helpers import assert_best_is_whole, best_of, silent, trials_of

pytestmark = pytest.mark.host
LR = 'optim_wrapper.optimizer.lr'


class Killed(BaseException):
    """A kill at any moment, after which nothing of the process runs but the kernel."""


def test_a_study_that_is_killed_in_each_search_ends_like_an_unbroken_one(
    tmp_path, settings, searches
):
    whole, broken = tmp_path / 'whole', tmp_path / 'broken'
    own = settings()
    tune(own, whole, 3, silent)
    runs = len(searches.commands)
    killed = set()

    def kill(options, epoch):
        moment = searches.commands[-1][6], 2
        if epoch == 2 and moment not in killed:
            killed.add(moment)
            raise Killed

    searches.before = kill
    for _ in range(runs):
        with pytest.raises(Killed):
            tune(own, broken, 3, silent)
    tune(own, broken, 3, silent)
    assert len(searches.commands) == 3 * runs  # each killed once, and then resumed
    assert trials_of(broken, own) == trials_of(whole, own)
    assert best_of(broken) == best_of(whole)
    assert_best_is_whole(broken)
    tune(own, broken, 3, silent)  # nothing is left to do
    assert len(searches.commands) == 3 * runs


def test_a_kill_while_parameters_are_drawn_costs_no_trial(tmp_path, settings, searches):
    whole, broken = tmp_path / 'whole', tmp_path / 'broken'
    tune(settings(), whole, 3, silent)
    (tmp_path / 'broken').mkdir()
    store = TrialStore(broken, settings(), silent)
    trial = store.study.ask()
    trial.suggest_float(LR, 1e-4, 1e-2, log=True)  # and no second one
    with open(broken / JOURNAL_FILE, 'a') as file:
        file.write('{"half a line')
    (broken / 'study.json').write_text((whole / 'study.json').read_text())
    tune(settings(), broken, 3, silent)
    assert trials_of(broken, settings()) == trials_of(whole, settings())


def test_the_best_stays_where_its_runs_are_deleted(tmp_path, settings, searches):
    best = tune(settings(), tmp_path, 2, silent)
    folder = tmp_path / 'trials' / f'{best["trial"]:05d}'
    folder.rename(tmp_path / 'elsewhere')
    assert tune(settings(), tmp_path, 2, silent) == best
    assert_best_is_whole(tmp_path)
    (tmp_path / 'best' / 'best.json').unlink()
    with pytest.raises(FileNotFoundError, match='the module of the best trial, is not there'):
        tune(settings(), tmp_path, 2, silent)


def test_a_trial_of_a_living_process_is_left_to_it(tmp_path, settings, searches, wait_for):
    own = settings()
    tune(own, tmp_path, 1, silent)
    context, ready = multiprocessing.get_context('fork'), tmp_path / 'ready'

    def work():
        held = TrialStore(tmp_path, own, silent).begin(3)
        assert held is not None
        ready.touch()
        time.sleep(600)  # until it is killed

    process = context.Process(target=work)
    process.start()
    try:
        wait_for(ready)
        lines = []
        tune(own, tmp_path, 3, lines.append)
        assert '1 trials are run by other processes' in lines
        assert [state for _, state, _ in trials_of(tmp_path, own)] == [
            'COMPLETE',
            'RUNNING',
            'COMPLETE',
        ]
    finally:
        process.kill()
        process.join()
    tune(own, tmp_path, 3, silent)  # what it left is taken up
    assert [state for _, state, _ in trials_of(tmp_path, own)] == ['COMPLETE'] * 3


def test_a_trial_that_is_about_to_be_claimed_is_left_to_its_process(
    tmp_path, settings, searches, monkeypatch, wait_for
):
    own, context = settings(), multiprocessing.get_context('fork')
    asked, end = tmp_path / 'asked', context.Event()
    claim = store_module.claim_folder

    def late(*args):
        asked.touch()
        time.sleep(0.5)
        return claim(*args)

    def work():
        monkeypatch.setattr(store_module, 'claim_folder', late)
        assert TrialStore(tmp_path, own, silent).begin(3) is not None
        end.wait(60)

    process = context.Process(target=work)
    process.start()
    try:
        wait_for(asked)
        store = TrialStore(tmp_path, own, silent)
        assert store.take_up() is None
        assert [each.state.name for each in store.trials()] == ['RUNNING']
    finally:
        end.set()
        process.join(60)
    assert process.exitcode == 0
    held = store.take_up()
    assert held is not None and held.trial.number == 0
    held.claim.release()


def test_several_processes_make_each_trial_once(tmp_path, settings, searches):
    own = settings(num_seeds=1, prune=False)
    context = multiprocessing.get_context('fork')
    note = tmp_path / 'begun'
    note.mkdir()

    def begin(options, epoch):
        if epoch == 1:
            (note / f'{os.getpid()}-{options[LR]}').touch()
            time.sleep(0.05)

    searches.before = begin
    processes = [
        context.Process(target=tune, args=(own, tmp_path / 'out', 8, silent)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    found = trials_of(tmp_path / 'out', own)
    assert len(found) == 8 == len(list(note.iterdir()))
    assert {state for _, state, _ in found} == {'COMPLETE'}
    best = keep_best(TrialStore(tmp_path / 'out', own, silent))
    assert best == best_of(tmp_path / 'out')
    assert best['mean'] == min(values[0] for *_, values in found)
