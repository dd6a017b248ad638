"""Variants on the command lines of tools: they reach each stage, and have folders of their own."""

import json

import pytest
import torch

from mmtmix.utils import run_command

pytestmark = pytest.mark.host

TEACHER = """
_base_ = {base!r}
from mmtmix.recipes import variant

width = dict(thin=1, wide=2)[variant('NET', 'thin', 'wide')]
model = dict(backbone=dict(depth=10, widen_factor=width), head=dict(in_channels=64 * width))
train_dataloader = dict(batch_size=16, dataset=dict(indices=32))
val_dataloader = dict(batch_size=32, dataset=dict(indices=32))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=1, val_interval=1)
param_scheduler = dict(total_steps=1)
"""
STUDENT = """
_base_ = {base!r}
from mmtmix.recipes import stage, teacher_from

teacher = stage('configs/simple/teacher.py', 'last.pth')
requires = [teacher]
model = dict(
    backbone=dict(depth=10),
    train_cfg=dict(augments=dict(type='SuperMix', teacher=teacher_from(teacher), max_iters=2)),
)
train_dataloader = dict(batch_size=16, dataset=dict(indices=32))
val_dataloader = dict(batch_size=32, dataset=dict(indices=32))
test_dataloader = val_dataloader
train_cfg = dict(max_epochs=1, val_interval=1)
param_scheduler = dict(total_steps=1)
"""
CONFIG = 'configs/simple/student.py'
WIDE = ('--variant', 'NET=wide')


@pytest.fixture(scope='module')
def trained(tmp_path_factory, load):
    """A folder in which the wide variant of a student was trained, after its teacher."""
    folder = tmp_path_factory.mktemp('variants')
    base = str(load('list_zoo').ROOT / 'configs/simple/wrn16_fashionmnist_mini.py')
    (folder / 'configs/simple').mkdir(parents=True)
    for name, text in (('teacher', TEACHER), ('student', STUDENT)):
        (folder / f'configs/simple/{name}.py').write_text(text.format(base=base))
    assert call(load, folder, 'train', CONFIG, *WIDE) == 0
    return folder


def call(load, folder, tool, *args):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return run_command(load(tool).main, f'{tool}.py', args)


def test_variants_reach_the_stages_and_have_folders_of_their_own(trained):
    assert {path.parent.name for path in trained.glob('work_dirs/simple/*/last.pth')} == {
        *('student-NET=wide', 'teacher-NET=wide'),
    }
    weights = torch.load(trained / 'work_dirs/simple/teacher-NET=wide/last.pth')['state_dict']
    assert weights['head.fc.weight'].shape == (10, 128)


def test_another_setting_finds_nothing_of_it(trained, load, capsys):
    assert call(load, trained, 'train', CONFIG, '--no-stages', '--resume') == 2
    told = capsys.readouterr().err
    command = 'mmtmix train configs/simple/teacher.py --work-dir work_dirs/simple/teacher'
    assert f'work_dirs/simple/teacher/last.pth: {command}' in told
    (trained / 'work_dirs/simple/teacher-NET=wide/last.pth').rename(trained / 'aside.pth')
    assert call(load, trained, 'train', CONFIG, '--no-stages', *WIDE) == 2
    (trained / 'aside.pth').rename(trained / 'work_dirs/simple/teacher-NET=wide/last.pth')
    assert f'teacher.py {" ".join(WIDE)} --work-dir' in capsys.readouterr().err


def test_a_test_reads_the_same_variant(trained, load, capsys):
    checkpoint = 'work_dirs/simple/teacher-NET=wide/last.pth'
    args = ('configs/simple/teacher.py', checkpoint, '--out', 'test.json')
    assert call(load, trained, 'test', *args, *WIDE) == 0
    assert 'accuracy/top1' in json.loads((trained / 'test.json').read_text())
    assert call(load, trained, 'test', *args) != 0
    assert 'shape' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('tool', 'args'),
    [
        ('train', (CONFIG,)),
        ('generate_mixed', (CONFIG,)),
        ('visualize_mix', (CONFIG, '--out', 'x.png')),
        ('visualize_mixers', (CONFIG, '--out', 'x.png')),
        ('benchmark_mixers', ('--config', CONFIG)),
    ],
)
def test_each_tool_refuses_what_is_not_declared(trained, load, capsys, tool, args):
    for chosen, message in (
        ('NETS=wide', 'no variant NETS; did you mean NET? the config declares NET: thin, wide'),
        ('NET=broad', 'variant NET must be one of thin, wide; got broad'),
    ):
        assert call(load, trained, tool, *args, '--variant', chosen) == 2
        assert message in capsys.readouterr().err
