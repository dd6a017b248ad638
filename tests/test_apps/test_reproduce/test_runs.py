"""Where runs go, what they are told apart by, and how far they are."""

import os
import re
from pathlib import Path

import pytest

from mmtmix.apps.reproduce import State, runs_of
from mmtmix.apps.reproduce.runs import VARIABLES, environment

pytestmark = pytest.mark.host


def test_cells_that_share_config_and_overrides_share_runs(cell):
    one, two = cell('a/1/r/x'), cell('b/2/s/y', printed=(1.0,))
    assert runs_of(one, 3) == runs_of(two, 3)
    other = cell('a/1/r/z', options={'model.backbone.depth': 10})
    assert runs_of(other, 1)[0].folder != runs_of(one, 1)[0].folder
    paired = cell('a/1/r/w', config='configs/distill/kd.py', env={'PAIR': 'vgg13_vgg8'})
    assert 'kd-vgg13_vgg8-' in str(runs_of(paired, 1)[0].folder)


def test_the_digest_is_that_of_the_config_alone(cell):
    first, second = runs_of(cell(), 2)
    assert first.digest() == second.digest()
    assert first.digest() != runs_of(cell(options={'train_cfg.max_epochs': 3}), 1)[0].digest()
    pairs = [dict(PAIR='vgg13_vgg8'), dict(PAIR='resnet56_resnet20')]
    digests = {
        runs_of(cell(config='configs/distill/kd.py', env=env), 1)[0].digest() for env in pairs
    }
    assert len(digests) == 2


def test_the_digest_sees_what_is_required(cell, tmp_path):
    teacher, student = tmp_path / 'teacher.py', tmp_path / 'student.py'
    student.write_text(f"""_base_ = {str(teacher)!r}
requires = [dict(config={str(teacher)!r}, produces='work_dirs/teacher/last.pth')]
lr = 1
""")
    digests = set()
    for lr in (1, 2):
        teacher.write_text(f'lr = {lr}')
        digests.add(runs_of(cell(config=str(student)), 1)[0].digest())
    assert len(digests) == 2


def test_the_digest_sees_what_earlier_commands_make(cell, tmp_path):
    search = tmp_path / 'search.py'
    digests = set()
    for alpha in (1, 2):
        line = f'ALPHA={alpha} python tools/train.py {search} --resume'
        for factor in (1, 10):
            search.write_text(f"lr = {factor} * float('{{{{$ALPHA:1}}}}')\n")
            digests.add(runs_of(cell(before=(line,)), 1)[0].digest())
    assert len(digests) == 4


def test_an_earlier_command_that_runs_nothing_is_refused(cell):
    with pytest.raises(ValueError, match="a command to run first runs nothing: 'ALPHA=1'"):
        runs_of(cell(before=('ALPHA=1',)), 1)[0].digest()


def test_a_run_is_as_far_as_its_folder_says(cell, finish, monkeypatch):
    run = finish(cell(), 0, [80.0])
    assert run.state is State.DONE
    (run.folder / 'last.pth').unlink()
    assert run.state is State.STARTED
    (run.folder / 'run.json').write_text('{"digest": "another"}')
    assert run.state is State.OUTDATED  # never resumed under another config
    (run.folder / 'last.pth').touch()
    assert run.state is State.OUTDATED
    (run.folder / 'run.json').unlink()
    assert run.state is State.NOT_RUN
    (run.folder / 'run.json').write_text('{"digest": ')
    for damaged in ('{"digest": ', '[]', '"x"', '{}'):
        (run.folder / 'run.json').write_text(damaged)
        with pytest.raises(ValueError, match=r'run.json is damaged .*; move its folder aside'):
            _ = run.state


def test_commands_are_those_that_a_user_would_type(cell):
    (run,) = runs_of(cell(options={'b': [1, 2], 'a': 0.5}), (7,), 'out')
    command = ' '.join(run.command('tools'))
    assert command.startswith('python tools/train.py configs/simple/wrn16_fashionmnist_mini.py')
    assert command.endswith('seed7 --resume --cfg-options randomness.seed=7 a=0.5 b=[1, 2]')
    assert run.command('tools', gpus=8)[:3] == ['tools/dist_train.sh', run.config, '8']


@pytest.mark.parametrize('seeds', [0, (), (1, -1)])
def test_seeds_must_be_there(cell, seeds):
    with pytest.raises(ValueError, match='seeds must be .* integer'):
        runs_of(cell(), seeds)


def test_a_quoted_cell_has_no_runs(cell):
    with pytest.raises(ValueError, match='is only quoted: a time'):
        runs_of(cell(config='', quoted='a time'), 1)


def test_the_environment_is_put_back(monkeypatch):
    monkeypatch.setenv('PAIR', 'before')
    monkeypatch.setenv('HOME', '/home')
    with environment({'ALPHA': 'a'}):
        # what a shell has set for another cell is no part of this one
        assert (os.environ['ALPHA'], os.environ['HOME']) == ('a', '/home')
        assert 'PAIR' not in os.environ
    assert os.environ['PAIR'] == 'before'
    assert 'ALPHA' not in os.environ


def test_every_variable_that_configs_read_is_known():
    root = Path(__file__).resolve().parents[3] / 'configs'
    texts = [path.read_text(encoding='utf-8') for path in root.glob('**/*.py')]
    found = {name for text in texts for name in re.findall(r'{{\s*\$(\w+)', text)}
    assert found == set(VARIABLES)


def test_a_path_among_the_variables_makes_no_folders(cell):
    env = dict(DATASET='digits', MIXER='work_dirs/search/mixer.pth')
    (run,) = runs_of(cell(env=env), 1, 'root')
    (other,) = runs_of(cell(env=env | dict(MIXER='work_dirs/other/mixer.pth')), 1, 'root')
    assert run.folder.relative_to('root').parts[1].startswith(f'{Path(run.config).stem}-digits-')
    assert len(run.folder.relative_to('root').parts) == 3
    assert run.folder != other.folder


def test_a_row_may_fix_its_seeds(cell):
    fixed = cell(seeds=(10, 11))
    assert [run.seed for run in runs_of(fixed)] == [10, 11]
    assert [run.seed for run in runs_of(fixed, (11,))] == [11]
    assert [run.seed for run in runs_of(cell())] == [0, 1, 2]
    with pytest.raises(ValueError, match=r'is for the seeds \(10, 11\), got \(0, 1, 2\)'):
        runs_of(fixed, 3)


def test_all_variables_are_documented():
    docs = Path(__file__).resolve().parents[3] / 'docs'
    pages = ''.join((docs / name).read_text('utf-8') for name in ('reproduce.md', 'evidence.md'))
    assert set(re.findall(r'^\| `([A-Z_]+)` \|', pages, re.M)) == set(VARIABLES)
