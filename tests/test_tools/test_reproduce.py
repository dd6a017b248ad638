"""tools/reproduce.py as a user runs it: two tiny runs, one that fails, and the report."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mmtmix.utils import run_command

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[2]

EXPERIMENTS = """
paper/1/row:
  cells:
    simple: {printed: 81.0, config: configs/tiny.py}
    same: {printed: 82.0, config: configs/tiny.py}
    broken: {printed: 1.0, config: configs/broken.py}
    time: {printed: 0.2, quoted: a time on another machine}
"""
TINY = """
_base_ = {base!r}
model = dict(backbone=dict(depth=10))
train_dataloader = dict(batch_size=16, dataset=dict(indices=32))
val_dataloader = dict(batch_size=32, dataset=dict(indices=32))
train_cfg = dict(max_epochs=1, val_interval=1)
param_scheduler = dict(total_steps=1)
default_hooks = dict(logger=dict(interval=1))
"""


@pytest.fixture(scope='module')
def reproduced(tmp_path_factory, load):
    """A folder in which `run` was called twice; what it returned, and printed the second time."""
    folder = tmp_path_factory.mktemp('reproduce')
    base = load('list_zoo').ROOT / 'configs/simple/wrn16_fashionmnist_mini.py'
    (folder / 'configs').mkdir()
    (folder / 'configs/tiny.py').write_text(TINY.format(base=str(base)))
    broken = TINY.format(base=str(base)) + "val_evaluator = dict(type='NoSuchMetric')\n"
    (folder / 'configs/broken.py').write_text(broken)
    (folder / 'experiments.yaml').write_text(EXPERIMENTS)
    cells = ('paper/1', 'paper/1/row/simple')
    codes = [call(load, folder, 'run', name, '--seeds', '1') for name in cells]
    return folder, codes


def call(load, folder, *args):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        arguments = ['--experiments', 'experiments.yaml', *args]
        return run_command(load('reproduce').main, 'reproduce.py', arguments)


def test_runs_go_on_after_a_failure_and_say_so_at_the_end(reproduced):
    folder, codes = reproduced
    assert codes == [1, 0]
    done = folder / 'work_dirs/reproduce/tiny/seed0'
    assert (done / 'last.pth').is_file()
    record = json.loads((done / 'run.json').read_text())
    assert record['state'] == 'done'
    assert record['device']
    assert record['seconds'] > 1
    assert not (folder / 'work_dirs/reproduce/broken/seed0').exists()
    assert {'torch', 'mmengine', 'mmpretrain', 'mmtmix'} <= record['versions'].keys()


def test_a_finished_run_is_never_repeated(reproduced):
    folder, _ = reproduced
    # the second call and the cell that shares its config found it done
    assert len([*(folder / 'work_dirs/reproduce/tiny/seed0').glob('2*')]) == 1


def test_the_report_is_true(reproduced, load, capsys):
    folder, _ = reproduced
    assert call(load, folder, 'report', '--out', 'report') == 0
    printed = capsys.readouterr().out
    assert (folder / 'report/report.md').read_text() in printed
    data = {cell['id']: cell for cell in json.loads((folder / 'report/report.json').read_text())}
    figure = data['paper/1/row/simple']['mean']['accuracy/top1']
    assert 0 <= figure <= 100
    assert f'| row/simple | 81 | {figure:.2f} | 1 | {figure - 81:+.2f} | last |' in printed
    assert f'| row/same | 82 | {figure:.2f} | 1 | {figure - 82:+.2f} | last |' in printed
    assert '| row/broken | 1 | not run | 0 | - | last |' in printed
    assert 'quoted only: a time on another machine' in printed
    assert (folder / 'report/paper_1.png').is_file()


def test_list_and_show_name_configs_and_commands(reproduced, load, capsys):
    folder, _ = reproduced
    assert call(load, folder, 'list', '--table', '*/1') == 0
    assert 'configs/broken.py' in capsys.readouterr().out
    assert call(load, folder, 'show', 'paper/1/row/simple', '--seed', '5', '--gpus', '4') == 0
    out = capsys.readouterr().out
    assert out.startswith(
        f'{ROOT}/tools/dist_train.sh configs/tiny.py 4 --work-dir work_dirs/reproduce_4gpus/'
    )
    assert 'randomness.seed=5' in out


def test_shown_commands_can_be_piped_into_a_shell(reproduced):
    """Stdout holds nothing else: the host stack's output while it is imported goes to stderr."""
    folder, _ = reproduced
    line = (
        f'"{sys.executable}" "{ROOT}/tools/reproduce.py" --experiments experiments.yaml '
        "--root 'my runs' show paper/1 --seed 0 1 2>errors | tee lines | sh -n"
    )
    env = os.environ | dict(PYTHONPATH=str(ROOT))
    done = subprocess.run(['bash', '-o', 'pipefail', '-c', line], cwd=folder, env=env)
    assert done.returncode == 0
    script = os.path.relpath(ROOT / 'tools/train.py', folder)
    assert (folder / 'lines').read_text().splitlines() == [
        f"python {script} configs/{name}.py --work-dir 'my runs/{name}/seed{seed}' --resume "
        f'--cfg-options randomness.seed={seed}'
        for name in ('tiny', 'broken')
        for seed in (0, 1)
    ]
    assert 'time is only quoted: a time on another machine' in (folder / 'errors').read_text()


def test_shown_commands_can_be_written_into_a_file(reproduced, load, capsys):
    folder, _ = reproduced
    assert call(load, folder, 'show', 'paper/1/row/simple', '--seeds', '2', '--out', 'x/jobs') == 0
    captured = capsys.readouterr()
    assert captured.out == '' and 'x/jobs holds the commands of 2 runs' in captured.err
    assert call(load, folder, 'show', 'paper/1/row/same', '--seeds', '2') == 0  # the same runs
    assert (folder / 'x/jobs').read_text() == capsys.readouterr().out
    assert call(load, folder, 'show', 'paper/1/row/same', '--out', 'x') == 2
    assert '--out must be a file' in capsys.readouterr().err


def test_a_dry_run_runs_nothing(reproduced, load, capsys):
    folder, _ = reproduced
    assert call(load, folder, 'run', 'paper/1/row/simple', '--seed', '9', '--dry-run') == 0
    assert 'randomness.seed=9' in capsys.readouterr().out
    assert not (folder / 'work_dirs/reproduce/tiny/seed9').exists()


def test_status_shows_what_is_done_and_failed_and_retry_repeats_that(reproduced, load, capsys):
    folder, _ = reproduced
    assert call(load, folder, 'status', '--seeds', '1') == 0
    out = capsys.readouterr().out
    done, failed, total = out.splitlines()[-3:]
    assert re.match(r'done +100% +0:00:\d\d +work_dirs/reproduce/tiny/seed0$', done.strip()), out
    assert failed.startswith('failed') and 'work_dirs/reproduce/broken/seed0' in failed
    assert 'NoSuchMetric' in failed
    assert total == '2 jobs: 1 done, 1 failed'
    assert call(load, folder, 'retry', '--seeds', '1', '--dry-run') == 0
    out = capsys.readouterr().out
    assert 'work_dirs/reproduce/broken/seed0: failed' in out
    assert '[1/1] work_dirs/reproduce/broken/seed0: starts' in out
    assert call(load, folder, 'retry', 'paper/1/row/simple', '--seeds', '1') == 0
    assert capsys.readouterr().out == 'nothing failed or was interrupted\n'


def test_recorded_runs_stand_for_their_folders(reproduced, load, capsys):
    folder, _ = reproduced
    recorded = ('--results', 'results/runs.jsonl')
    assert call(load, folder, 'export', *recorded) == 0
    out = capsys.readouterr().out
    assert 'broken' not in out  # refused before it began
    assert 'results/runs.jsonl: 1 runs, 1 of them new, 0 in place of' in out
    before = (folder / 'results/runs.jsonl').read_bytes()
    assert call(load, folder, 'export', 'paper', *recorded) == 0
    assert '1 runs, 0 of them new' in capsys.readouterr().out
    assert (folder / 'results/runs.jsonl').read_bytes() == before

    assert call(load, folder, 'report', 'paper/1/row/simple') == 0
    report = capsys.readouterr().out
    elsewhere = ('--root', 'elsewhere')
    assert call(load, folder, *elsewhere, 'report', 'paper/1/row/simple', *recorded) == 0
    assert capsys.readouterr().out == report

    brought = ('--results', 'results/brought.jsonl', '--recorded', 'results/runs.jsonl')
    assert call(load, folder, *elsewhere, 'export', *brought) == 0
    assert (folder / 'results/brought.jsonl').read_bytes() == before
    capsys.readouterr()

    cells = ('paper/1/row/simple', 'paper/1/row/same')
    options = ('--seed', '0', '9', '--dry-run')
    assert call(load, folder, *elsewhere, 'run', *cells, *recorded, *options) == 0
    out = capsys.readouterr().out
    assert out.count('elsewhere/tiny/seed0: recorded before') == 1
    assert '[1/1] elsewhere/tiny/seed9: starts' in out


def test_another_try_of_a_recorded_run_is_told_and_not_taken(reproduced, load, capsys):
    folder, _ = reproduced
    path = folder / 'results/other.jsonl'
    assert call(load, folder, 'export', '--results', str(path)) == 0
    (line,) = path.read_text().splitlines()
    recorded = json.loads(line)
    recorded['metrics']['accuracy/top1'] = 99.5
    path.write_text(json.dumps(recorded) + '\n')
    capsys.readouterr()
    assert call(load, folder, 'export', '--results', str(path)) == 0
    assert 'configs/tiny.py, seed 0: recorded before with other figures' in capsys.readouterr().out
    assert json.loads(path.read_text()) == recorded


def test_a_missing_results_file_is_told(reproduced, load, capsys):
    folder, _ = reproduced
    for command in ('run', 'report'):
        assert call(load, folder, command, 'paper', '--results', 'none.jsonl') == 2
        assert "results file 'none.jsonl' does not exist" in capsys.readouterr().err


def test_a_typo_is_told_in_one_line(reproduced, load, capsys):
    folder, _ = reproduced
    assert call(load, folder, 'run', 'paper/1/row/simpel') == 2
    assert "no cell 'paper/1/row/simpel'; did you mean" in capsys.readouterr().err


def test_a_cell_whose_config_cannot_be_read_stops_no_other(reproduced, load, capsys):
    folder, _ = reproduced
    recorded = ('--results', 'results/all.jsonl')
    assert call(load, folder, 'export', *recorded) == 0
    path = folder / 'results/all.jsonl'
    record = json.loads(path.read_text())
    bad = record | dict(config='configs/bad.py')
    path.write_text(f'{json.dumps(record)}\n{json.dumps(bad)}\n')
    (folder / 'configs/bad.py').write_text('x = 1 / 0')
    (folder / 'more.yaml').write_text(
        'paper/1/row: {cells: {bad: {config: configs/bad.py}, simple: {config: configs/tiny.py}}}'
    )
    more = ('--experiments', 'more.yaml')
    capsys.readouterr()
    assert call(load, folder, *more, 'run', 'paper', *recorded, '--seeds', '1') == 1
    out, err = capsys.readouterr()
    why = 'configs/bad.py cannot be read (ValueError: config '
    reason = "configs/bad.py', line 1: ZeroDivisionError: division by zero)"
    assert f'paper/1/row/bad: {why}' in err and reason in err
    assert f'work_dirs/reproduce/bad/seed0: {why}' in out and reason in out
    assert 'work_dirs/reproduce/tiny/seed0: recorded before' in out
    assert call(load, folder, *more, 'report', *recorded) == 0
    out, err = capsys.readouterr()
    assert why in err and '| row/simple |' in out
    assert call(load, folder, *more, 'status', 'paper', '--seeds', '1') == 0
    out, err = capsys.readouterr()
    assert reason in err and out.endswith('1 jobs: 1 done\n')


def test_a_cell_for_other_seeds_stops_no_other(reproduced, load, capsys):
    folder, _ = reproduced
    (folder / 'fixed.yaml').write_text(
        'paper/1/fixed: {seeds: [10, 11], cells: {a: {config: configs/tiny.py}}}\n'
        'paper/1/free: {cells: {b: {config: configs/tiny.py}}}'
    )
    arguments = ('--experiments', 'fixed.yaml', 'run')
    capsys.readouterr()
    assert call(load, folder, *arguments, 'paper', '--seeds', '1') == 1
    out, err = capsys.readouterr()
    assert 'paper/1/fixed/a is for the seeds (10, 11), got (0,)' in err
    assert 'work_dirs/reproduce/tiny/seed0: done before' in out
    assert call(load, folder, *arguments, 'paper/1/fixed', '--seeds', '1') == 2
