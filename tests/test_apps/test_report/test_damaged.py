"""Work dirs that are damaged, half-finished or of other tools still give an honest page."""

import html
import json
import re
import sys

import numpy as np
import pytest

from mmtmix.apps.report.settings import is_finished
from mmtmix.apps.report.work_dir import read_work_dir
from mmtmix.evaluation.predictions import Predictions
from mmtmix.utils import file_digest

from .conftest import CONFIG

pytestmark = pytest.mark.host

RECORD = dict(
    config='configs/nowhere.py',
    variants={},
    options=[],
    seed=3,
    digest='0123456789abcdef',
    changes=[],
    processes=1,
    versions=dict(torch='9.9'),
    device='cpu',
    precision='float32',
    host='there',
    started='2026-01-01T00:00:00+00:00',
    updated='2026-01-01T00:01:00+00:00',
    attempts=2,
    seconds=60.0,
    state='done',
    error=None,
    progress=[40, 40],
)


def text_of(page):
    plain = re.sub(r'<style>.*?</style>|<[^>]+>', ' ', page, flags=re.DOTALL)
    return re.sub(r'\s+', ' ', html.unescape(plain))


def test_a_run_of_another_tool(make_work_dir, log, report):
    folder = make_work_dir(**log())
    (folder / '20260101_000000' / '20260101_000000.log').write_text(
        'System environment:\n    Python: 3.11\n    GPU 0: NVIDIA H100\n    PyTorch: 2.6.0\n'
    )
    (folder / 'epoch_4.pth').write_bytes(b'no checkpoint')
    text = text_of(report(folder))
    assert 'ResNet (depth=18) for 10 classes on CustomDataset in images without mixing' in text
    assert 'There is no record of its state.' in text
    assert 'It has no readable run.json: another tool made it' in text
    assert 'accuracy/top1 35.00 40.00 32.50 4' in text
    assert 'about 4.0 s training steps alone, from the log' in text
    assert 'Images per second 160' in text and 'Share of waiting for data 10.0 %' in text
    assert 'GPU 0 NVIDIA H100' in text and 'torch 2.6.0' in text
    assert 'The config in the work dir names no test set.' in text


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        (dict(state='running', progress=[20, 40]), 'It was killed before its end, so all figures '
         'are of a part of the training: 20 of 40 steps.'),
        (dict(state='failed', progress=[20, 40], error='loss is NaN at step 20'),
         'It failed before its end, so all figures are of a part of the training: 20 of 40 steps. '
         'It ended with: loss is NaN at step 20.'),
        (dict(state='stopped', progress=[20, 40], error='stopped by SIGTERM'),
         'It was stopped by a signal before its end'),
        (dict(changes=['--amp']), 'It was made with --amp, which its config does not hold.'),
        (dict(), 'it cannot be read from here'),
    ],
)  # fmt: skip
def test_states_of_a_record(make_work_dir, log, report, changes, said):
    folder = make_work_dir(record={**RECORD, **changes}, **log())
    text = text_of(report(folder))
    assert said in text
    assert 'There is no checkpoint in the work dir, so nothing is predicted.' in text


def test_values_that_are_not_finite_are_counted_and_not_drawn(make_work_dir, log, report):
    lines = log()
    lines['train'][2]['loss'] = float('nan')
    page = report(make_work_dir(record=RECORD, **lines))
    assert '1 of 4 values are not finite and not drawn.' in text_of(page)
    assert 'nan' not in ''.join(re.findall(r' d="[^"]*"', page))


@pytest.mark.parametrize(
    ('record', 'log_text', 'said'),
    [
        ('{"seed": 1', None, 'The record of the run cannot be read'),
        (None, '{"iter": 1}\n{"iter"', 'The log of the training is damaged'),
        (None, '{"no" json\n{"step": 1, "iter": 1}', 'is damaged in line 1'),
        (None, '[1]\n[2]', 'There is no log of a training'),
        (None, '{"step": "x", "iter": 1, "epoch": 1}', 'The log of the training is damaged'),
        (json.dumps(dict(state=3, progress='x', options=5, seconds='x')), None, 'options is 5.'),
    ],
)  # fmt: skip
def test_damaged_files_are_named(make_work_dir, report, record, log_text, said):
    folder = make_work_dir(record=record)
    if log_text:
        (folder / '20260101_000000/vis_data/scalars.json').write_text(log_text)
    text = text_of(report(folder))
    assert said in text
    assert 'ResNet (depth=18)' in text


def test_a_half_written_last_line_is_no_fault(make_work_dir, log, report):
    text = text_of(report(make_work_dir(record=RECORD, tail='{"loss": 1.0, "it', **log())))
    assert 'damaged' not in text and 'accuracy/top1 35.00' in text


def test_a_log_without_a_config(make_work_dir, log, report):
    text = text_of(report(make_work_dir(config=None, **log())))
    assert 'No copy of the config is in the work dir.' in text
    assert 'The config in the work dir has no model' in text


@pytest.fixture
def stranger(make_work_dir, log, tmp_path):
    """A work dir that names configs and modules of a stranger, which write a file if they run."""
    witness = tmp_path / 'witness'
    evil = f"open({str(witness)!r}, 'w').write('run')\nmodel = dict(type=print('run'))\n"
    folder = make_work_dir('theirs/work_dirs/x', config=None, **log())
    for place in ('theirs/configs/x.py', 'theirs/work_dirs/x/x.py', 'theirs/evil_of_a_run.py'):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(evil)
    names = "dict(imports=['evil_of_a_run'], allow_failed_imports=False)"
    loading = "dict(type='evil_of_a_run.LoadImageFromFile')"
    dataset = f"dict(type='evil_of_a_run.ResidentDataset', pipeline=[{loading}])"
    (folder / '20260101_000000/vis_data/config.py').write_text(
        f"{evil}work_dir = 'work_dirs/x'\ncustom_imports = {names}\n"
        f'train_cfg = dict(max_epochs=1)\ntest_dataloader = dict(dataset={dataset})\n'
    )
    (folder / 'last.pth').write_bytes(b'weights')
    scores, labels = np.eye(3, dtype=np.float32), np.arange(3)
    digest = file_digest(folder / 'last.pth', 64)
    Predictions(scores, labels, None, digest, '0' * 16).save(folder / 'predictions.npz')
    return folder, witness


@pytest.mark.parametrize('named', ['configs/x.py', 'work_dirs/x/x.py', '{root}/configs/x.py'])
@pytest.mark.parametrize('place', ['elsewhere', 'theirs', '.'])
def test_nothing_of_a_stranger_is_run(stranger, report, tmp_path, monkeypatch, named, place):
    folder, witness = stranger
    record = {**RECORD, 'config': named.format(root=tmp_path / 'theirs')}
    (folder / 'run.json').write_text(json.dumps(record))
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path / place)
    monkeypatch.syspath_prepend(tmp_path / 'theirs')  # as `python -m` does in a folder
    text = text_of(report(folder, '--no-predict'))
    assert not witness.exists() and 'evil_of_a_run' not in sys.modules
    assert 'is not compared with its base: a config is a program, and --no-predict' in text


@pytest.mark.parametrize('place', ['elsewhere', 'theirs/work_dirs'])
@pytest.mark.parametrize('named', ['configs/x.py', 'work_dirs/x/x.py', '{root}/configs/x.py'])
def test_a_config_of_another_folder_is_not_run(
    stranger, report, tmp_path, monkeypatch, named, place
):
    folder, witness = stranger
    record = {**RECORD, 'config': named.format(root=tmp_path / 'theirs')}
    (folder / 'run.json').write_text(json.dumps(record))
    (folder / 'last.pth').unlink()  # so nothing is predicted
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path / place)
    text = text_of(report(folder))
    assert not witness.exists()
    assert 'comes with the work dir; if you trust it, run the command in the folder' in text


def test_attempts_are_joined(make_work_dir, log, report):
    folder = make_work_dir(record=RECORD, **log())
    later = folder / '20260101_010000' / 'vis_data'
    later.mkdir(parents=True)
    again = log((0.0, 0.0, 55.0, 60.0))
    lines = again['train'][2:] + again['val'][2:]
    (later / 'scalars.json').write_text('\n'.join(map(json.dumps, lines)))
    # of the first attempt 10 and 40, of the second 55 and 60
    assert 'accuracy/top1 60.00 60.00 47.50 4' in text_of(report(folder))


def test_a_missing_stage_is_named(make_work_dir, log, report):
    config = (
        "requires = [dict(config='t.py', produces='work_dirs/gone/last.pth')]\nmodel = dict()\n"
    )
    text = text_of(report(make_work_dir(config=config, record=RECORD, **log())))
    assert 'work_dirs/gone not there' in text
    assert 'so nothing is known about work_dirs/gone/last.pth' in text


@pytest.fixture
def make_seeds(make_work_dir, log):
    """Write runs of a setting in three seeds: ``make_seeds(name, shift, **record)``."""

    def make(name, shift=0, config=CONFIG, **changes):
        for seed, end in enumerate((30.0, 31.0, 33.0)):
            record = {**RECORD, 'digest': name, 'seed': seed, **changes}
            ends = (10.0, end + shift + seed / 10 * shift)
            yield make_work_dir(f'{name}{seed}', config, record, **log(ends))

    return make


def test_seeds_are_compared_in_pairs(make_seeds, report):
    folders = [*make_seeds('a/seed'), *make_seeds('b/seed', 2)]
    text = text_of(report(*folders))
    assert 'Differences from a (3 seeds) b (3 seeds) +2.20 points' in text
    assert '95 % interval +1.70 to +2.70, over 3 seeds in pairs' in text
    assert '(seed 0: +2.00, seed 1: +2.20, seed 2: +2.40). The interval excludes zero.' in text
    assert 'They do not cover other test images' in text
    text = text_of(report(*folders[:3]))
    assert 'a mean of 31.33 and a standard deviation of 1.53, over 3 seeds' in text


def test_a_running_seed_and_another_data_set_are_left_out(make_seeds, report):
    digits = CONFIG.replace("data_root='images'", "data_root='digits'")
    folders = [*make_seeds('a/seed'), *make_seeds('b/seed', 2), *make_seeds('c/seed', 5, digits)]
    record = folders[5] / 'run.json'
    record.write_text(record.read_text().replace('"done"', '"stopped"'))
    text = text_of(report(*folders))
    assert '+2.10 points of top-1 accuracy (last validation), 95 % interval' in text
    assert 'over 2 seeds in pairs (seed 0: +2.00, seed 1: +2.20)' in text
    assert 'b/seed2 is left out, since it is not finished (stopped, 40 of 40 steps).' in text
    assert (
        'c (3 seeds) Their validation sets differ in data_root, so their accuracies are not '
        'compared.'
    ) in text


def test_no_setting_vanishes_and_an_edited_config_is_another_one(make_seeds, report):
    folders = [*make_seeds('a/x'), *make_seeds('a/y', 2), *make_seeds('b/x')]
    text = text_of(report(*folders))
    assert 'Differences from a/x0 and a/x1, a/x2' in text
    assert 'a/y0 and a/y1, a/y2 +2.20 points' in text
    assert 'b (3 seeds) +0.00 points' in text
    # of one path and the same options, but edited between the seeds: three settings
    edited = (folders[1], folders[2])
    for number, folder in enumerate(edited):
        record = folder / 'run.json'
        record.write_text(record.read_text().replace('"a/x"', f'"edited{number}"'))
    text = text_of(report(*folders[:3]))
    assert 'Differences from x0 x1 ' in text and ' x2 ' in text
    assert 'All these runs are of one setting' not in text


def test_a_run_without_a_record_is_finished_with_its_last_epoch(make_work_dir, log):
    whole = read_work_dir(make_work_dir('whole', **log()))
    assert is_finished(whole)
    part = read_work_dir(make_work_dir('part', **log((1.0, 2.0))))
    assert not is_finished(part)
    (part.path / 'epoch_4.pth').write_bytes(b'')
    assert is_finished(part)
