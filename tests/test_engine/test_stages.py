"""Stages: which runs a config needs, in which order, and which of them are done."""

import os
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from mmengine.config import Config

from mmtmix.engine.recording import recorded
from mmtmix.engine.run_record import RECORD
from mmtmix.engine.stage_records import StageRecords
from mmtmix.engine.stage_runs import run_stages
from mmtmix.engine.stages import Stage, check_stages, plan_stages
from mmtmix.utils import claim_waits, claims, file_digest, load_config


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder):
    """Write a config that requires others: ``write('c', a='last.pth', b='mixer.pth')``."""

    def write(name, **requires):
        path = folder / 'configs' / 'method' / f'{name}.py'
        path.parent.mkdir(parents=True, exist_ok=True)
        needed = [
            dict(config=f'configs/method/{other}.py', produces=f'work_dirs/{other}/{file}')
            for other, file in requires.items()
        ]
        path.write_text(f'name = {name!r}\nrequires = {needed!r}\n')
        return f'configs/method/{name}.py'

    return write


@pytest.fixture
def chain(write):
    """The main job: a teacher, a search that needs it, a classifier that needs both."""
    write('teacher')
    write('search', teacher='last.pth')
    return plan(write('classifier', teacher='last.pth', search='mixer.pth'))


def plan(config):
    cfg = load_config(config)
    cfg.work_dir = 'work_dirs/asked_for'
    return plan_stages(config, cfg)


def names(stages):
    return [stage.name.removeprefix('method/') for stage in stages]


def make(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as file:
        file.write(path)


def run_and_make(ran):
    def run(stage):
        ran.append(stage.cfg.name)
        if stage.produces:
            make(stage.produces)

    return run


def test_config_without_requires_is_its_own_only_stage(write):
    (stage,) = plan(write('alone'))
    assert (stage.config, stage.produces) == ('configs/method/alone.py', None)
    assert not stage.is_finished


def test_stages_come_after_what_they_need_and_shared_ones_once(chain):
    assert names(chain) == ['teacher', 'search', 'classifier']
    assert chain[0].cfg.work_dir == os.path.join('work_dirs', 'teacher')
    assert chain[1].cfg.work_dir == os.path.join('work_dirs', 'search')
    assert chain[2].cfg.work_dir == 'work_dirs/asked_for'


def test_order_does_not_depend_on_the_order_of_requires(write):
    write('teacher')
    write('search', teacher='last.pth')
    assert names(plan(write('c', search='mixer.pth', teacher='last.pth'))) == [
        'teacher',
        'search',
        'c',
    ]


def test_spelling_of_a_path_does_not_make_a_second_stage(write, folder):
    write('teacher')
    write('search', teacher='last.pth')
    config = folder / 'configs' / 'c.py'
    config.write_text(
        "requires = [dict(config='configs/method/search.py', produces='work_dirs/search/m.pth'),"
        "dict(config='configs/method/teacher.py', produces='./work_dirs//teacher/last.pth')]"
    )
    stages = plan('configs/c.py')
    assert names(stages) == ['teacher', 'search', 'c']
    assert len(check_stages(stages)) == 3


def test_weights_of_the_package_need_no_run(write, folder):
    (folder / 'c.py').write_text(
        "requires = [dict(config='no/such.py', produces='mmtmix://wrn10_fashionmnist_demo')]"
    )
    stages = plan('c.py')
    assert len(stages) == 1
    assert check_stages(stages) == stages
    assert StageRecords(stages).digest_of(stages[0])
    (folder / 'c.py').write_text(
        "requires = [dict(config='no/such.py', produces='mmtmix://nothing')]"
    )
    with pytest.raises(ValueError, match='does not come with mmtmix'):
        plan('c.py')


def test_configs_that_require_each_other_are_named(write):
    write('a', b='last.pth')
    write('b', c='last.pth')
    config = write('c', a='last.pth')
    path = ' -> '.join(f'configs/method/{name}.py' for name in 'cabc')
    with pytest.raises(ValueError, match=f'require each other: {re.escape(path)}'):
        plan(config)


@pytest.mark.parametrize(
    'entry', ["'last.pth'", "dict(config='a.py')", "dict(config='a.py', produces='b', force=1)"]
)
def test_malformed_requires_is_quoted(folder, entry):
    (folder / 'c.py').write_text(f'requires = [{entry}]')
    with pytest.raises(ValueError, match=r'requires in c\.py must list dict\(config=') as error:
        plan('c.py')
    assert repr(eval(entry)) in str(error.value)


def test_two_configs_for_one_file_are_an_error(folder, write):
    write('a'), write('b')
    needed = [dict(config=f'configs/method/{name}.py', produces='w/last.pth') for name in 'ab']
    (folder / 'c.py').write_text(f'requires = {needed!r}')
    with pytest.raises(ValueError, match=r'w.last\.pth is produced by .*/a\.py and by .*/b\.py'):
        plan('c.py')


def test_missing_required_config_is_named_with_the_places(write, folder):
    config = write('c', nowhere='last.pth')
    with pytest.raises(FileNotFoundError, match="'configs/method/nowhere.py' was not") as error:
        plan(config)
    assert str(folder) in str(error.value)


def test_only_what_is_missing_has_to_run(chain):
    assert names(check_stages(chain)) == ['teacher', 'search', 'classifier']
    make(chain[0].produces)
    assert names(check_stages(chain)) == ['search', 'classifier']
    make(chain[1].produces)
    assert names(check_stages(chain)) == ['classifier']


@pytest.mark.parametrize('end', [None, RuntimeError('lost'), KeyboardInterrupt()])
def test_a_file_of_the_run_before_an_unfinished_one_does_not_count(write, end):
    """A search is begun anew with a changed config and ends early: its mixer is the old one."""
    write('search')
    stages = plan(write('transfer', search='mixer.pth'))
    again, folder = stages[0], Path('work_dirs/search')
    make(again.produces)
    (folder / RECORD).write_text('{"digest": "that of the old config"}')  # of an older version
    assert names(check_stages(stages)) == ['transfer']
    alone = Stage(again.config, again.cfg)
    digest = StageRecords(stages).digest_of(again)
    with suppress(RuntimeError, KeyboardInterrupt), recorded(alone, digest):
        assert not again.is_finished and names(check_stages(stages)) == ['search', 'transfer']
        left = (folder / RECORD).read_bytes()
        if end is not None:
            raise end
    if end is None:
        assert again.is_finished
        (folder / RECORD).write_bytes(left)  # as after SIGKILL
    assert again.has_file and not again.is_finished
    ran = []
    run_stages(stages, run_and_make(ran), StageRecords(stages))
    assert ran == ['search', 'transfer'] and again.is_finished


def test_what_a_finished_stage_alone_needed_is_not_made_again(write):
    write('teacher')
    write('search', teacher='last.pth')
    stages = plan(write('transfer', search='mixer.pth'))
    make('work_dirs/search/mixer.pth')
    assert names(check_stages(stages)) == ['transfer']


def test_folder_under_a_products_name_does_not_count(chain):
    os.makedirs(chain[0].produces)
    assert names(check_stages(chain)) == ['teacher', 'search', 'classifier']


def test_command_makes_the_file_where_it_is_looked_for(chain):
    assert chain[0].command == (
        f'mmtmix train configs/method/teacher.py --work-dir {chain[0].cfg.work_dir}'
    )


def test_run_goes_in_order_with_a_line_at_start_and_end(chain, capsys):
    ran = []
    run_stages(chain, run_and_make(ran))
    assert ran == ['teacher', 'search', 'classifier']
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[0].startswith('[stage 1/3] method/teacher: started, in work_dirs')
    assert re.fullmatch(r'\[stage 1/3\] method/teacher: done in 0:00:0\d', lines[1])
    assert lines[5].startswith('[stage 3/3] method/classifier: done')


def test_finished_stage_is_named_with_age_and_digest(chain, capsys):
    path = chain[0].produces
    make(path)
    hours_ago = time.time() - 2 * 3600 - 60
    os.utime(path, (hours_ago, hours_ago))
    ran = []
    run_stages(chain, run_and_make(ran))
    assert ran == ['search', 'classifier']
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(f'[stage 1/3] method/teacher: found {path} (2:01:0')
    assert first.endswith(f' old, sha256 {file_digest(path)}), skipped')


def test_unneeded_stage_is_said_to_be_unneeded(write, capsys):
    write('teacher')
    write('search', teacher='last.pth')
    stages = plan(write('transfer', search='mixer.pth'))
    make('work_dirs/search/mixer.pth')
    run_stages(stages, lambda stage: None)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == '[stage 1/3] method/teacher: not needed, skipped'


def test_stage_that_ends_without_its_file_is_an_error(chain):
    ran = []
    with pytest.raises(RuntimeError, match=r'teacher\.py ended without work_dirs.teacher.last\.p'):
        run_stages(chain, lambda stage: ran.append(stage.cfg.name))
    assert ran == ['teacher']


def test_launch_after_a_failure_goes_on_with_the_stage_that_failed(chain):
    ran = []

    def run(stage):
        if stage.cfg.name == 'search':
            raise RuntimeError('stop')
        run_and_make(ran)(stage)

    with pytest.raises(RuntimeError, match='stop'):
        run_stages(chain, run)
    run_stages(chain, run_and_make(ran))
    assert ran == ['teacher', 'search', 'classifier']


def test_config_given_as_a_dict_plans_as_well(write):
    needed = dict(config=write('teacher'), produces='work_dirs/teacher/last.pth')
    assert names(plan_stages('x/y.py', Config(dict(requires=[needed])))) == ['teacher', 'x/y']


def test_file_without_a_folder_is_refused(write):
    needed = dict(config=write('teacher'), produces='last.pth')
    with pytest.raises(ValueError, match="produces='last.pth' in x/y.py needs a folder"):
        plan_stages('x/y.py', Config(dict(requires=[needed])))


@pytest.fixture
def other_launch(monkeypatch):
    """Let another launch work in a folder: ``other_launch('work_dirs/teacher')``."""

    def work(folder, ends=None):
        claim = claims.claim_folder

        def refuse(asked, say=print):
            if asked == folder and (ends is None or not ends()):
                raise claims.ClaimedError(os.path.join(asked, claims.CLAIM_FILE))
            return claim(asked, say)

        monkeypatch.setattr(claim_waits, 'claim_folder', refuse)
        monkeypatch.setattr('mmtmix.engine.claims.claim_folder', refuse)
        monkeypatch.setattr(claims.time, 'sleep', lambda seconds: None)

    return work


def test_a_run_in_the_work_dir_of_another_is_refused_before_its_stages(chain, other_launch):
    other_launch('work_dirs/asked_for')
    ran = []
    with pytest.raises(claims.ClaimedError, match='asked_for is in use by another process'):
        run_stages(chain, run_and_make(ran))
    assert ran == []


def test_a_stage_that_another_launch_makes_is_waited_for_and_not_made_again(
    chain, other_launch, capsys
):
    looks = []

    def look():
        looks.append(1)
        if len(looks) == 3:
            make(chain[0].produces)
        return False

    other_launch('work_dirs/teacher', look)
    ran = []
    run_stages(chain, run_and_make(ran))
    assert ran == ['search', 'classifier']
    lines = capsys.readouterr().out.splitlines()
    head = '[stage 1/3] method/teacher: '
    assert lines[0].startswith(f'{head}waiting for another process, which works in work_dirs/tea')
    assert lines[1].startswith(f'{head}found work_dirs/teacher/last.pth')
    assert lines[1].endswith(', made by another launch')


def test_a_stage_whose_maker_dies_is_taken_over(chain, other_launch):
    looks = iter((False, False, True))
    other_launch('work_dirs/teacher', lambda: next(looks))
    ran = []
    run_stages(chain, run_and_make(ran))
    assert ran == ['teacher', 'search', 'classifier']


def test_work_dirs_are_claimed_while_their_stage_runs_and_free_afterwards(chain):
    seen = []

    def run(stage):
        seen.append(sorted(str(path.parent) for path in Path().rglob(claims.CLAIM_FILE)))
        run_and_make([])(stage)

    run_stages(chain, run)
    asked = 'work_dirs/asked_for'
    assert seen == [[asked, 'work_dirs/teacher'], [asked, 'work_dirs/search'], [asked]]
    assert not list(Path().rglob(claims.CLAIM_FILE))


def test_a_work_dir_of_a_later_stage_that_cannot_be_written_to_is_told_at_once(chain):
    Path('work_dirs').mkdir()
    Path('work_dirs/search').touch()  # a file in the place of the folder
    ran = []
    with pytest.raises(OSError, match='work_dirs/search.* cannot be written: .*give another'):
        run_stages(chain, run_and_make(ran))
    assert ran == []


def test_a_required_run_may_have_overrides(folder, write):
    teacher, path = write('teacher'), folder / 'configs' / 'method' / 'student.py'
    needed = dict(
        config=teacher,
        produces='work_dirs/wide/last.pth',
        options={'model': dict(width=2), 'model.depth': '(1, 2)'},
    )
    path.write_text(f'requires = [{needed!r}]\n')
    stage, _ = plan('configs/method/student.py')
    assert stage.cfg.model == dict(width=2, depth='(1, 2)')
    assert stage.name == 'wide'
    assert stage.command == (
        f'mmtmix train {teacher} --work-dir work_dirs/wide '
        "--cfg-options 'model.depth=(1, 2)' model.width=2"
    )
    path.write_text(f'requires = [{dict(needed, options=[1])!r}]\n')
    with pytest.raises(TypeError, match=r'options must be a dict of fields, got \[1\]'):
        plan('configs/method/student.py')
    # one file can't be both
    both = [needed, dict(needed, options=dict(model=dict(width=3)))]
    path.write_text(f'requires = {both!r}\n')
    message = (
        r"last.pth is produced by .*teacher.py --cfg-options 'model.depth=\(1, 2\)' model.width=2 "
        'and by .*teacher.py --cfg-options model.width=3; give each'
    )
    with pytest.raises(ValueError, match=message):
        plan('configs/method/student.py')
