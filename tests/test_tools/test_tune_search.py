"""tools/tune_search.py as a user runs it: killed, resumed, and its module used."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mmengine.config import Config

from mmtmix.apps.tune import trial
from mmtmix.cli.main import call
from mmtmix.models import load_mixer
from mmtmix.utils import file_digest
from mmtmix.visualization import read_scalars

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools' / 'tune_search.py'
CONFIG = 'configs/transformmix/search_tiny.py'
METRIC = 'mix/transformmix/ce'
TINY = """
_base_ = {base!r}
requires = []
model = dict(teacher=dict(_delete_=True, config='teacher.py', checkpoint={checkpoint!r}))
train_dataloader = dict(batch_size=32, dataset=dict(indices=64))
val_dataloader = dict(batch_size=32, dataset=dict(indices=64))
train_cfg = dict(max_epochs=2, val_interval=1)
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=1))
"""
SPACE = """
optim_wrapper.optimizer.lr: {low: 1.0e-4, high: 1.0e-2, log: true}
model.mixer.saliency_noise: {low: 0.0, high: 1.0}
"""
ARGUMENTS = [CONFIG, '--trials', '2', '--seeds', '2', '--space', 'space.yml']


@pytest.fixture(scope='module')
def job(tmp_path_factory, fitted_teacher):
    """A folder with a tiny search, its teacher and a space."""
    folder = tmp_path_factory.mktemp('tune')
    base = str(ROOT / 'configs' / 'transformmix' / 'search_wrn16_fashionmnist_mini.py')
    path = folder / CONFIG
    path.parent.mkdir(parents=True)
    path.write_text(TINY.format(base=base, checkpoint=fitted_teacher['checkpoint']))
    Config(fitted_teacher['config']).dump(folder / 'teacher.py')
    (folder / 'space.yml').write_text(SPACE)
    return folder


@pytest.fixture
def run_here(job, load, forget_runs, monkeypatch, capsys):
    """Run the tool and its searches in this process: ``run_here('--out', 'x')``."""

    def search(command, env, output, is_to_stop, every):
        assert command[:4] == [sys.executable, '-m', 'mmtmix', 'train']
        forget_runs()
        call('train', command[4:])
        return 0

    monkeypatch.setattr(trial, 'run_child', search)
    monkeypatch.chdir(job)

    def run(*words):
        status = load('tune_search').run([*ARGUMENTS, *words])
        return status, capsys.readouterr().out

    return run


def study(out):
    """Return what a study has found, without what depends on its folder."""
    best = json.loads((out / 'best' / 'best.json').read_text())
    parameters = [json.loads(path.read_text()) for path in sorted(out.glob('trials/*/trial.json'))]
    values = {
        path.relative_to(out).as_posix(): read_scalars(path).val[-1][METRIC]
        for path in sorted(out.glob('trials/*/seed?'))
    }
    best.pop('sha256')  # of a file that may hold times
    return best, parameters, values


def test_a_study_that_is_killed_is_resumed_to_the_same_end(job, run_here):
    killed, whole = job / 'killed', job / 'whole'
    env = os.environ | dict(PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
    command = [sys.executable, str(TOOL), *ARGUMENTS, '--out', str(killed)]
    process = subprocess.Popen(command, cwd=job, env=env, stdout=subprocess.DEVNULL)
    saved, deadline = killed / 'trials' / '00000' / 'seed1' / 'last_checkpoint', time.time() + 240
    while not saved.is_file():
        assert process.poll() is None and time.time() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    status, printed = run_here('--out', str(killed))
    assert status == 0 and 'trial 0 of 2' in printed  # taken up, whatever its search had left
    assert run_here('--out', str(whole))[0] == 0
    assert study(killed) == study(whole)
    best, parameters, values = study(killed)
    assert len(parameters) == 2 and len(values) == 4
    assert f'best: trial {best["trial"]}, {METRIC} {best["mean"]:.4g} +- ' in printed
    assert 'requires=[] model.train_cfg.augments.mixer=' in printed
    kept = killed / 'best' / 'mixer.pth'
    run = killed / 'trials' / f'{best["trial"]:05d}' / f'seed{best["seed"]}'
    assert best['values'][str(best['seed'])] == values[run.relative_to(killed).as_posix()]
    assert file_digest(kept) == file_digest(run / 'mixer.pth')
    noise = best['parameters']['model.mixer.saliency_noise']
    assert load_mixer(kept).saliency_noise == noise


@pytest.mark.parametrize(
    ('words', 'kind', 'message'),
    [
        (['--space', 'no.yml'], FileNotFoundError, 'neither a file nor one of'),
        (['--metric', 'mix/beauty'], ValueError, 'give --direction'),
        (['--seeds', '0'], ValueError, '--seeds must be an integer >= 1'),
        (['--cfg-options', 'train_cfg.type=EpochBasedTrainLoop'], ValueError, 'is no search'),
        (['--cfg-options', 'val_evaluator=None'], ValueError, 'has no validation'),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_made(job, run_here, words, kind, message):
    with pytest.raises(kind, match=message):
        run_here('--out', 'refused', *words)
    assert not (job / 'refused').exists()
