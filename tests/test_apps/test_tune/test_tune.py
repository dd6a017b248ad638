"""Studies: the value of a trial, the module that is kept, failures, pruning, refusals."""

import json
import statistics
import sys

import pytest

from mmtmix.apps.tune import Parameter, direction_of, tune
from mmtmix.apps.tune.best import median_seed
from mmtmix.apps.tune.store import JOURNAL_FILE, TrialStore

from .helpers import assert_best_is_whole, best_of, silent, trials_of

pytestmark = pytest.mark.host
LR, EPOCHS = 'optim_wrapper.optimizer.lr', 'train_cfg.max_epochs'
METRIC = 'mix/transformmix/ce'


def test_a_trial_is_ordinary_runs_and_the_best_mean_is_kept(tmp_path, settings, searches):
    own, lines = settings(num_seeds=3, options=['model.alpha=0.5'], prune=False), []
    best = tune(own, tmp_path, 4, lines.append)
    assert len(searches.commands) == 12
    for number, words in enumerate(searches.commands):
        folder = f'{tmp_path}/trials/{number // 3:05d}/seed{number % 3 + 1}'
        assert words[1:8] == [
            '-m',
            'mmtmix',
            'train',
            own.config,
            '--work-dir',
            folder,
            '--resume',
        ]
        assert 'model.alpha=0.5' in words and words[-1] == f'randomness.seed={number % 3 + 1}'
    expected = []
    for params, state, values in trials_of(tmp_path, own):
        assert state == 'COMPLETE' and 1e-4 <= params[LR] <= 1e-2
        assert values == [2 + params[LR] / params[EPOCHS] + seed for seed in (1, 2, 3)]
        expected.append(statistics.fmean(values))
    assert best == best_of(tmp_path) and best['trial'] == expected.index(min(expected))
    assert best['mean'] == pytest.approx(min(expected))
    assert best['deviation'] == pytest.approx(1)
    assert (best['seed'], best['metric'], best['direction']) == (2, METRIC, 'minimize')
    assert list(best['values']) == ['1', '2', '3']
    kept = json.loads((tmp_path / 'best' / 'mixer.pth').read_text())
    assert kept[LR] == best['parameters'][LR] and kept['randomness.seed'] == 2
    assert_best_is_whole(tmp_path)
    assert any(line.startswith('trial 3 of 4: optim_wrapper.optimizer.lr=') for line in lines)


def test_the_direction_counts(tmp_path, settings, searches):
    best = tune(settings(direction='maximize', num_seeds=1), tmp_path, 4, silent)
    values = [values[0] for *_, values in trials_of(tmp_path, settings(direction='maximize'))]
    assert best['mean'] == max(values) and best['deviation'] is None
    assert [direction_of(name) for name in (METRIC, 'accuracy/top1', 'mix/mixup/top_k')] == [
        'minimize',
        'maximize',
        'maximize',
    ]
    with pytest.raises(ValueError, match='give --direction minimize or'):
        direction_of('mix/beauty')


@pytest.mark.parametrize(
    ('values', 'direction', 'seed'),
    [
        ([3.0, 1.0, 2.0], 'minimize', 3),
        ([3.0, 1.0], 'minimize', 1),  # the worse one of the two
        ([3.0, 1.0], 'maximize', 2),
        ([4.0, 1.0, 3.0, 2.0], 'minimize', 3),
        ([5.0], 'minimize', 1),
    ],
)
def test_the_module_of_the_median_seed_is_kept(settings, values, direction, seed):
    assert median_seed(values, settings(direction=direction, num_seeds=len(values))) == seed


def test_the_best_is_completed_after_a_kill(tmp_path, settings, searches):
    tune(settings(), tmp_path, 2, silent)
    before = best_of(tmp_path)
    (tmp_path / 'best' / 'mixer.pth').write_bytes(b'of an earlier trial')
    (tmp_path / 'best' / 'best.json').unlink()
    tune(settings(), tmp_path, 2, silent)
    assert best_of(tmp_path) == before
    assert_best_is_whole(tmp_path)


def test_failed_trials_are_recorded_and_left_out(tmp_path, settings, searches):
    own, lines = settings(), []
    searches.before = lambda options, epoch: (
        1 if 'trials/00001' in searches.commands[-1][6] else None
    )
    best = tune(own, tmp_path, 3, lines.append)
    states = [state for _, state, _ in trials_of(tmp_path, own)]
    assert states == ['COMPLETE', 'FAIL', 'COMPLETE']
    assert best['trials'] == dict(COMPLETE=2, PRUNED=0, FAIL=1)
    (failed,) = TrialStore(tmp_path, own, silent).trials('FAIL')
    assert failed.user_attrs['reason'].startswith('the last words of seed1 (log: ')
    assert any(line.startswith('    failed: the last words') for line in lines)


def test_a_metric_that_is_not_finite_is_a_failure(tmp_path, settings, searches):
    searches.value = lambda options, epoch: float('nan') if options[EPOCHS] == 4 else 1.0
    tune(settings(), tmp_path, 5, silent)
    found = {(params[EPOCHS], state) for params, state, _ in trials_of(tmp_path, settings())}
    assert found == {(2, 'COMPLETE'), (4, 'FAIL')}


def test_three_failures_in_a_row_stop_the_study(tmp_path, settings, searches):
    searches.before = lambda options, epoch: 2
    with pytest.raises(RuntimeError, match='3 trials in a row failed.*--space'):
        tune(settings(), tmp_path, 9, silent)
    assert len(searches.commands) == 3


def test_a_killed_search_or_a_missing_stage_is_no_failed_trial(
    tmp_path, settings, searches, monkeypatch
):
    class Missing:
        produces, is_finished = 'teacher.pth', False

    searches.before = lambda options, epoch: -9
    with pytest.raises(RuntimeError, match=r'was killed \(exit status -9\)'):
        tune(settings(), tmp_path, 2, silent)
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match='teacher.pth, which'):
        patch.setattr('mmtmix.apps.tune.trial.plan_stages', lambda *args: [Missing, None])
        tune(settings(), tmp_path, 2, silent)
    assert [state for _, state, _ in trials_of(tmp_path, settings())] == ['RUNNING']
    searches.before = lambda options, epoch: None
    tune(settings(), tmp_path, 2, silent)
    assert [state for _, state, _ in trials_of(tmp_path, settings())] == ['COMPLETE'] * 2


def test_a_metric_that_the_validation_lacks_is_refused_at_the_first_one(
    tmp_path, settings, searches
):
    searches.metric = 'mix/transformmix/top_k'
    message = f"no metric '{METRIC}'; it has mix/transformmix/top_k. Give one of them"
    for _ in range(2):  # the same by the same command
        with pytest.raises(ValueError, match=message):
            tune(settings(), tmp_path, 2, silent)
    assert len(searches.commands) == 2


@pytest.mark.parametrize('num_seeds', [1, 2])
def test_trials_worse_than_the_median_end_early(tmp_path, settings, searches, num_seeds):
    worse = [5]  # the number of the first bad trial

    def value(options, epoch):
        number = int(searches.commands[-1][6].split('/')[-2])
        return 1 + number / 100 if number < worse[0] else 9.0

    searches.value = value
    own = settings(
        num_seeds=num_seeds, space=[Parameter(LR, low=1e-4, high=1e-2), *settings().space[1:]]
    )
    tune(own, tmp_path, 7, silent)
    states = [state for _, state, _ in trials_of(tmp_path, own)]
    assert states == ['COMPLETE'] * 5 + ['PRUNED'] * 2
    assert not (tmp_path / 'trials' / '00006' / 'seed2').exists()
    assert best_of(tmp_path)['trials']['PRUNED'] == 2
    if num_seeds == 1:
        unpruned = settings(num_seeds=1, prune=False)
        tune(unpruned, tmp_path / 'other', 7, silent)
        found = trials_of(tmp_path / 'other', unpruned)
        assert [state for _, state, _ in found] == ['COMPLETE'] * 7


def test_a_run_without_its_last_validation_is_made_anew(tmp_path, settings, searches):
    own = settings(num_seeds=1)
    folder = tmp_path / 'trials' / '00000' / 'seed1'

    def lose(options, epoch):
        if epoch == options[EPOCHS] and len(searches.commands) == 1:
            (folder / 'mixer.pth').write_text('{}')  # exported, but its log lacks the last epoch
            return 0

    searches.before = lose
    tune(own, tmp_path, 1, silent)
    assert len(searches.commands) == 2
    (values,) = [values for *_, values in trials_of(tmp_path, own)]
    assert len(values) == 1


def test_other_settings_and_other_folders_are_refused(tmp_path, settings, searches):
    tune(settings(), tmp_path / 'out', 1, silent)
    for other, message in (
        (settings(num_seeds=3), 'seeds is 2 there and 3 here'),
        (settings(metric='mix/mixup/ce'), "metric is '.*' there and 'mix/mixup/ce' here"),
        (settings(space=settings().space[:1]), 'space is'),
        (settings(digest='f00'), "digest is '' there and 'f00' here"),
    ):
        with pytest.raises(ValueError, match=f'a study of other settings: {message}'):
            tune(other, tmp_path / 'out', 2, silent)
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full' / 'x').touch()
    with pytest.raises(ValueError, match="is not empty, it holds 'x', and is no study"):
        tune(settings(), tmp_path / 'full', 2, silent)
    with pytest.raises(ValueError, match='--trials must be an integer >= 1'):
        tune(settings(), tmp_path / 'new', 0, silent)
    (tmp_path / 'out' / JOURNAL_FILE).unlink()  # its runs are those of other parameters
    path = tmp_path / 'out' / 'trials' / '00000' / 'trial.json'
    path.write_text('{}')
    with pytest.raises(ValueError, match='holds runs of another trial'):
        tune(settings(), tmp_path / 'out', 2, silent)


def test_a_missing_package_is_named_with_its_cure(tmp_path, settings, monkeypatch):
    monkeypatch.setitem(sys.modules, 'optuna.storages.journal', None)
    with pytest.raises(ImportError, match=r"pip install 'mmtmix\[tune\]'"):
        tune(settings(), tmp_path / 'out', 2, silent)
    assert not (tmp_path / 'out').exists()
