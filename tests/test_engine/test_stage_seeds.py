"""Required runs of their own for each seed: seeds, folders, paths and digests."""

import pytest

from mmtmix.engine.digest import run_digest, stage_digests
from mmtmix.engine.stages import plan_stages
from mmtmix.utils import load_config
from mmtmix.utils.config_options import parse_options

TEACHER, SEARCH = 'work_dirs/teacher/last.pth', 'work_dirs/search/mixer.pth'


@pytest.fixture(autouse=True)
def write(tmp_path, monkeypatch):
    """A teacher, a search by it, and a student that uses files of both; returns a writer."""
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        (tmp_path / f'{name}.py').write_text(text)

    write('teacher', "model = dict(width=1)\nrandomness = dict(seed=100)\nwork_dir = 'x'\n")
    write(
        'search',
        f"requires = [dict(config='teacher.py', produces='{TEACHER}')]\n"
        f"model = dict(teacher=dict(config='teacher.py', checkpoint='{TEACHER}'))\n"
        'randomness = dict(seed=5)\n',
    )
    write(
        'student',
        # the teacher is required through the search alone
        f"requires = [dict(config='search.py', produces='{SEARCH}')]\n"
        f"model = dict(mixer='{SEARCH}', files=('{TEACHER}', ['work_dirs/search/log']))\n"
        "val_cfg = dict(other='work_dirs/search_more/x')\nrandomness = dict(seed=0)\n",
    )
    return write


def plan(seed, *options, config='student.py'):
    cfg = load_config(config, parse_options([f'randomness.seed={seed}', *options]))
    return plan_stages(config, cfg)


def test_required_runs_get_seeds_and_folders_that_follow_from_the_run():
    teacher, search, student = plan(10, 'stage_seeds=run')
    own = 'work_dirs/teacher-stage_seeds=10/last.pth', 'work_dirs/search-stage_seeds=10/mixer.pth'
    assert (teacher.produces, search.produces) == own
    assert [stage.cfg.randomness.seed for stage in (teacher, search, student)] == [110, 15, 10]
    assert teacher.cfg.work_dir == 'work_dirs/teacher-stage_seeds=10'
    assert search.cfg.model.teacher == dict(config='teacher.py', checkpoint=own[0])
    assert student.cfg.model.mixer == own[1]
    assert student.cfg.model.files == (own[0], ['work_dirs/search-stage_seeds=10/log'])
    assert student.cfg.val_cfg.other == 'work_dirs/search_more/x'
    assert teacher.command.endswith(
        'teacher.py --work-dir work_dirs/teacher-stage_seeds=10 --cfg-options '
        'randomness.seed=110 stage_seeds=10'
    )
    # the command of the search, alone, requires the same teacher
    alone = plan(15, 'stage_seeds=10', config='search.py')
    assert [stage.maker for stage in alone[:1]] == [teacher.maker]
    assert stage_digests(alone) == stage_digests([teacher, search])


def test_planning_twice_changes_nothing_more():
    first = plan(10, 'stage_seeds=run')
    cfg = first[-1].cfg
    before = cfg.pretty_text
    again = plan_stages('student.py', cfg)
    assert cfg.pretty_text == before
    assert [stage.maker for stage in again] == [stage.maker for stage in first]
    assert run_digest(again) == run_digest(first)
    cfg.randomness.seed = 11
    with pytest.raises(ValueError, match=r'of stage_seeds=10, and its own seeds want 11'):
        plan_stages('student.py', cfg)


def test_runs_of_all_seeds_have_one_digest_that_covers_all_else(write):
    digest = run_digest(plan(10, 'stage_seeds=run'))
    assert {run_digest(plan(seed, 'stage_seeds=run')) for seed in (0, 11)} == {digest}
    # as planned by `reproduce`, which has the seed beside the config
    cfg = load_config('student.py', dict(stage_seeds='run'))
    assert run_digest(plan_stages('student.py', cfg, seed=12)) == digest
    others = {digest, run_digest(plan(0)), run_digest(plan(0, 'stage_seeds=10'))}
    others |= {run_digest(plan(0, 'stage_seeds=11')), run_digest(plan(0, 'stage_seeds=0'))}
    write('teacher', 'model = dict(width=2)\nrandomness = dict(seed=100)\n')
    others.add(run_digest(plan(10, 'stage_seeds=run')))
    write('teacher', 'model = dict(width=1)\nrandomness = dict(seed=200)\n')
    others.add(run_digest(plan(10, 'stage_seeds=run')))
    assert len(others) == 7


def test_required_runs_of_other_seeds_have_other_digests():
    ten, eleven = (stage_digests(plan(seed, 'stage_seeds=run')) for seed in (10, 11))
    assert ten[0] != eleven[0] and ten[1] != eleven[1] and ten[2] == eleven[2]


def test_a_generation_has_a_seed_of_its_own(write):
    made = 'work_dirs/set/dataset.json'
    write('set', 'generation = dict(num=4)\nrandomness = dict(seed=7)\n')
    write('student', f"requires = [dict(config='set.py', produces='{made}')]\n")
    generation, student = plan(3, 'stage_seeds=run')
    assert generation.cfg.generation == dict(num=4, seed=3)
    assert generation.cfg.randomness == dict(seed=7)
    assert run_digest([generation, student]) == run_digest(plan(4, 'stage_seeds=run'))


@pytest.mark.parametrize(
    ('student', 'options', 'said'),
    [
        ('', ['stage_seeds=runs'], "stage_seeds of student.py must be a whole number >= 0, or 'r"),
        ('', ['stage_seeds=-1'], r'or .run., got -1'),
        ('', ['stage_seeds=True'], r'or .run., got True'),
        ('', ['stage_seeds=run', 'randomness.seed=None'], 'needs the run.s seed; give randomness'),
        (
            "requires = [dict(config='bare.py', produces='work_dirs/bare/last.pth')]",
            ['stage_seeds=run'],
            'student.py requires bare.py with a seed of its own .* has none; give it randomness',
        ),
        (
            "requires = [dict(config='teacher.py', produces='mmtmix://x')]",
            ['stage_seeds=run'],
            'student.py requires mmtmix://x, which all seeds share; leave out stage_seeds',
        ),
    ],
)
def test_what_cannot_follow_a_seed_is_refused(write, student, options, said):
    write('bare', 'model = dict()\n')
    write('student', student)
    with pytest.raises(ValueError, match=said):
        plan(0, *options)
