"""The jobs of a grid: every stage once, however many runs need it."""

import json
from pathlib import Path

import pytest

from mmtmix.apps.reproduce import Job, JobGraph, choose_cells, job_graph, read_experiments, runs_of
from mmtmix.apps.reproduce.plan import plan_jobs
from mmtmix.apps.reproduce.survey import JobState, jobs_to_retry, survey
from mmtmix.engine.digest import run_digest
from mmtmix.engine.stages import plan_stages
from mmtmix.utils import load_config

pytestmark = pytest.mark.host

TEACHER_CONFIG = 'configs/simple/wrn16_fashionmnist_mini.py'
TEACHER = 'work_dirs/simple/wrn16_fashionmnist_mini/last.pth'


def runs(pattern, seeds, root):
    cells = choose_cells(read_experiments('configs/experiments_mini.yaml'), [pattern])
    return [run for cell in cells for run in runs_of(cell, seeds, str(root))]


@pytest.fixture
def empty(monkeypatch, tmp_path):
    """A present folder with configs and without any work dir."""
    (tmp_path / 'configs').symlink_to(Path('configs').resolve())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_runs_share_the_stages_that_they_require(empty):
    found = runs('mini', 2, 'runs')
    graph = job_graph([*found, *found])
    stages = [key for key, job in graph.items() if job.run is None]
    assert len(graph) == len(found) + len(stages) == 22 + 3
    assert stages.count(TEACHER) == 1
    assert graph[TEACHER].requires == ()
    assert graph[TEACHER].folder == 'work_dirs/simple/wrn16_fashionmnist_mini'
    sets = [key for key in stages if key.endswith('dataset.json')]
    assert sets and all(TEACHER in graph[key].requires for key in sets)
    for run in found:
        assert graph[str(run.folder)].run == run
        assert graph[str(run.folder)].folder == str(run.folder)
    kd = next(job for job in graph.values() if 'distill/kd-' in job.key)
    assert kd.requires == (TEACHER,)
    seen = set()
    for key, job in graph.items():
        assert seen.issuperset(job.requires)
        seen.add(key)


def test_what_is_done_is_left_out_with_what_it_alone_needs(empty):
    graph = job_graph(runs('mini/classify/*/supermix', 1, 'runs'))
    teacher, mixed, run = graph
    assert list(graph.missing()) == [teacher, mixed, run]
    (empty / mixed).parent.mkdir(parents=True)
    (empty / mixed).touch()
    assert list(graph.missing()) == [run]  # nothing else needs the teacher
    assert graph.missing()[run].requires == ()
    (empty / teacher).parent.mkdir(parents=True)
    (empty / teacher).touch()
    (empty / mixed).unlink()
    assert list(graph.missing()) == [mixed, run]
    assert graph.missing().requires() == {mixed: (), run: (mixed,)}


@pytest.mark.parametrize(
    ('fields', 'fault'),
    [
        (dict(digest='another', state='stopped'), 'made with another config'),
        (dict(digest='another', state='done'), 'made with another config'),
        (dict(seed=7, state='done'), 'made with another seed'),
        (dict(state='done', seed=0), None),
        (dict(digest=None), None),  # of an older version
    ],
)
def test_a_stage_of_another_run_is_refused_before_anything_runs(empty, fields, fault):
    found = runs('mini/classify/*/supermix', 1, 'runs')
    teacher, mixed, run = graph = job_graph(found)
    assert graph[teacher].digest == run_digest(
        plan_stages(TEACHER_CONFIG, load_config(TEACHER_CONFIG))
    )
    for name in ('last.pth', 'run.json'):
        (empty / teacher).with_name(name).parent.mkdir(parents=True, exist_ok=True)
        (empty / teacher).with_name(name).touch()
    record = dict(digest=graph[teacher].digest) | fields
    (empty / teacher).with_name('run.json').write_text(json.dumps(record))
    lines = []
    left, faults = plan_jobs(found, lines.append)
    if fault is None:
        assert not faults and list(left) == [mixed, run]
        return
    assert not left
    assert list(faults.values()) == [f'{teacher}: {fault}; move its folder away']
    status = survey(graph, 'runs')
    assert status[teacher].text.startswith(fault)
    assert status[run].state is JobState.BLOCKED
    assert not jobs_to_retry(graph, status)


def test_one_file_of_two_stages_is_refused(cell, tmp_path):
    for name, alpha in (('a', 1), ('b', 2)):
        (tmp_path / f'{name}.py').write_text(
            "requires = [dict(config='teacher.py', produces='work_dirs/t/last.pth', "
            f'options=dict(model=dict(alpha={alpha})))]\n'
        )
    (tmp_path / 'teacher.py').write_text('model = dict(alpha=0)')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        both = [run for name in 'ab' for run in runs_of(cell(config=f'{name}.py'), 1, 'runs')]
        message = (
            r'work_dirs/t/last.pth is produced by teacher.py --cfg-options model.alpha=1 and, for '
            r'runs/b/seed0, by teacher.py --cfg-options model.alpha=2; give each its own work dir'
        )
        with pytest.raises(ValueError, match=message):
            job_graph(both)


def test_an_order_that_cannot_run_is_refused():
    jobs = [Job('a', None, ('b',)), Job('b', None)]
    with pytest.raises(ValueError, match='job a comes before b'):
        JobGraph(jobs)
    with pytest.raises(ValueError, match='job b is there twice'):
        JobGraph([jobs[1], jobs[1]])
