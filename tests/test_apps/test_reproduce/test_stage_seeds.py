"""Cells each of whose seeds has a teacher of its own, trained by the command that is shown."""

import shlex
from pathlib import Path

import pytest

from mmtmix.apps.reproduce import (
    collect_results,
    job_graph,
    read_experiments,
    read_records,
    recorded_results,
    runs_of,
    write_records,
)
from mmtmix.apps.reproduce.command import command_line
from mmtmix.cli.main import call
from mmtmix.engine.run_record import read_record

pytestmark = pytest.mark.host

TEXT = """
a/1/r:
  stages: per_seed
  seeds: [3, 4]
  cells:
    x: {config: configs/student.py}
    same: {config: configs/student.py, options: {param_scheduler.total_steps: 2}}
    shared: {config: configs/student.py, stages: shared}
"""
TINY = """
_base_ = {base!r}
model = dict(backbone=dict(depth=10))
train_dataloader = dict(batch_size=16, num_workers=0, dataset=dict(indices=32))
val_dataloader = dict(batch_size=32, num_workers=0, dataset=dict(indices=32))
train_cfg = dict(max_epochs=1, val_interval=1)
param_scheduler = dict(total_steps=1)
default_hooks = dict(logger=dict(interval=1))
"""
NEEDS = """
requires = [dict(config='configs/teacher.py', produces='work_dirs/teacher/last.pth')]
load_from = 'work_dirs/teacher/last.pth'
"""


@pytest.fixture
def cells(tmp_path, monkeypatch):
    base = Path('configs/simple/wrn16_fashionmnist_mini.py').resolve()
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'configs').mkdir()
    (tmp_path / 'configs/teacher.py').write_text(TINY.format(base=str(base)))
    (tmp_path / 'configs/student.py').write_text(TINY.format(base=str(base)) + NEEDS)
    (tmp_path / 'experiments.yaml').write_text(TEXT)
    return read_experiments('experiments.yaml')


def test_each_seed_has_a_teacher_of_its_own_which_all_cells_of_it_share(cells):
    x, same, shared = cells.values()
    assert x.options == {'stage_seeds': 'run'} and shared.options == {}
    runs = [run for cell in (x, same) for run in runs_of(cell, root='runs')]
    graph = job_graph(runs)
    teachers = [f'work_dirs/teacher-stage_seeds={seed}/last.pth' for seed in (3, 4)]
    assert [key for key, job in graph.items() if job.run is None] == teachers
    assert [graph[str(run.folder)].requires for run in runs] == [(key,) for key in teachers * 2]
    assert [graph[key].stage.cfg.randomness.seed for key in teachers] == [3, 4]
    digests = [graph[str(run.folder)].digest for run in runs]
    assert digests[0] == digests[1] == runs[0].digest() != digests[2] == digests[3]
    assert runs[0].experiment == runs[1].experiment
    assert runs[0].folder.parent == runs[1].folder.parent
    plain = runs_of(shared, root='runs')
    assert list(job_graph(plain))[0] == 'work_dirs/teacher/last.pth'
    assert plain[0].digest() != digests[0] and plain[0].folder.parent != runs[0].folder.parent


def test_the_shown_command_makes_the_teacher_and_a_run_that_counts(cells):
    cell = cells['a/1/r/x']
    run, other = runs_of(cell, root='runs')
    words = shlex.split(command_line(run))
    assert words[-2:] == ['randomness.seed=3', 'stage_seeds=run']
    call('train', words[words.index('configs/student.py') :])
    teacher = read_record('work_dirs/teacher-stage_seeds=3')
    assert (teacher['seed'], teacher['state']) == (3, 'done')
    graph = job_graph([run, other])
    assert [job.is_done for job in graph.values()] == [True, True, False, False]
    assert not list(graph.missing([str(run.folder)]).requires()[str(run.folder)])
    result = collect_results(cell, 'runs')
    assert [each.seed for each in result.runs] == [3] and not result.left_out
    assert run.record['digest'] == other.digest()
    # and as a recorded run, without its folder
    write_records(result.runs, 'results/runs.jsonl')
    records = read_records('results/runs.jsonl')
    assert [each.seed for each in recorded_results(cell, records).runs] == [3]
    assert not recorded_results(cells['a/1/r/shared'], records).runs


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('stages: each', "stages of a/1/r/x in .* must be shared or per_seed, got 'each'"),
        ('options: {stage_seeds: run}', "have stage_seeds='run'; write stages: per_seed"),
    ],
)
def test_another_way_to_say_it_is_refused(tmp_path, text, said):
    path = tmp_path / 'e.yaml'
    path.write_text(f'a/1/r: {{{text}, cells: {{x: {{config: a}}}}}}')
    with pytest.raises(ValueError, match=said):
        read_experiments(path)
