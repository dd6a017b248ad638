"""Teachers from every form of a config, and checkpoints that don't fit."""

import os
import re
from collections import OrderedDict

import pytest
import torch
from mmengine.config import Config

from mmtmix.models import FrozenTeacher


@pytest.fixture
def logits_of():
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return lambda config, checkpoint: FrozenTeacher(config, checkpoint)(images)


@pytest.fixture
def spoil(tmp_path):
    """Write a checkpoint's state, changed by a function, to a new file."""

    def write(checkpoint, change):
        state = torch.load(checkpoint)['state_dict']
        change(state)
        path = tmp_path / 'spoilt.pth'
        torch.save(dict(state_dict=state), path)
        return str(path)

    return write


def test_every_form_of_a_config_makes_the_same_teacher(teacher_args, logits_of, tmp_path):
    args = teacher_args()
    config, checkpoint = args['config'], args['checkpoint']
    path = tmp_path / 'teacher.py'
    Config(config).dump(path)
    alone = dict(config['model'], data_preprocessor=config['data_preprocessor'])
    expected = logits_of(config, checkpoint)
    for form in (path, str(path), Config(config), alone, Config(dict(c=config)).c):
        assert torch.equal(logits_of(form, checkpoint), expected)


def test_a_config_file_is_read_with_its_variants(teacher_args, tmp_path):
    args = teacher_args()
    path = tmp_path / 'teacher.py'
    preprocessor = dict(args['config']['data_preprocessor'], mean=[0.0], std=[1.0])
    path.write_text(
        '_base_ = []\nfrom mmtmix.recipes import variant\n'
        f'model = {args["config"]["model"]!r}\n'
        f'first, second = {args["config"]["data_preprocessor"]!r}, {preprocessor!r}\n'
        "data_preprocessor = dict(a=first, b=second)[variant('STATS', 'a', 'b')]\n"
    )
    teachers = [
        FrozenTeacher(path, args['checkpoint'], variants=variants)
        for variants in (None, dict(STATS='b'))
    ]
    assert list(teachers[0].stats.mean) == list(args['config']['data_preprocessor']['mean'])
    assert list(teachers[1].stats.mean) == [0.0]
    with pytest.raises(ValueError, match='variant STATS must be one of a, b; got c'):
        FrozenTeacher(path, args['checkpoint'], variants=dict(STATS='c'))
    train_it = r'train it first: mmtmix train \S+teacher.py --variant STATS=b$'
    with pytest.raises(FileNotFoundError, match=train_it):
        FrozenTeacher(path, 'nowhere.pth', variants=dict(STATS='b'))
    with pytest.raises(ValueError, match='those of a config file, but config is dict'):
        FrozenTeacher(**args, variants=dict(STATS='b'))
    with pytest.raises(TypeError, match='variants must be a dict'):
        FrozenTeacher(path, args['checkpoint'], variants='STATS=b')


def test_a_bare_state_dict_is_a_checkpoint_too(teacher_args, logits_of, tmp_path):
    args = teacher_args()
    bare = tmp_path / 'bare.pth'
    torch.save(torch.load(args['checkpoint'])['state_dict'], bare)
    assert torch.equal(logits_of(args['config'], bare), logits_of(**args))


def test_what_the_teacher_was_trained_with_is_not_built(teacher_args, logits_of):
    args = teacher_args()
    nowhere = dict(config='nowhere.py', checkpoint='nowhere.pth')
    augment = dict(type='TransformMix', mixer='nowhere.pth', teacher=nowhere)
    trained = dict(
        args['config']['model'], train_cfg=dict(augments=augment), pretrained='nowhere.pth'
    )
    preprocessor = dict(args['config']['data_preprocessor'], num_classes=10, to_onehot=True)
    config = dict(args['config'], model=trained, data_preprocessor=preprocessor)
    assert torch.equal(logits_of(config, args['checkpoint']), logits_of(**args))


def test_the_callers_config_is_not_changed(teacher_args):
    args = teacher_args()
    before = Config(args['config']).pretty_text
    FrozenTeacher(**args)
    assert Config(args['config']).pretty_text == before


def test_a_config_without_a_model_is_refused(teacher_args):
    args = teacher_args()
    with pytest.raises(ValueError, match='has no `model`'):
        FrozenTeacher(dict(data_preprocessor=dict()), args['checkpoint'])


def test_a_config_that_says_nothing_of_its_inputs_is_refused(teacher_args):
    args = teacher_args()
    for config in (args['config']['model'], dict(model=args['config']['model'])):
        with pytest.raises(ValueError, match=r'no data_preprocessor.*add data_preprocessor='):
            FrozenTeacher(config, args['checkpoint'])


def test_a_missing_config_names_where_it_was_looked_for(teacher_args):
    with pytest.raises(FileNotFoundError, match="'configs/none.py' was not found in any of"):
        FrozenTeacher('configs/none.py', teacher_args()['checkpoint'])


def test_a_missing_checkpoint_names_the_command_that_makes_it(teacher_config, tmp_path):
    path = tmp_path / 'teacher.py'
    Config(teacher_config()).dump(path)
    command = re.escape(f'mmtmix train {path}')
    with pytest.raises(FileNotFoundError, match=f"'none.pth' does not exist.*{command}"):
        FrozenTeacher(path, 'none.pth')
    with pytest.raises(FileNotFoundError, match="'none.pth' does not exist; train it first$"):
        FrozenTeacher(teacher_config(), 'none.pth')


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda state: state.pop('head.fc.bias'), r'missing: head\.fc\.bias\.'),
        (lambda state: state.update(extra=torch.ones(1)), r'unexpected: extra\.'),
        (
            lambda state: state.update({'head.fc.bias': torch.ones(3)}),
            r'of another shape: head\.fc\.bias \(3,\) instead of \(10,\)\.',
        ),
    ],
)
def test_a_key_that_does_not_fit_is_an_error(teacher_args, spoil, change, said):
    args = teacher_args()
    with pytest.raises(ValueError, match=f'does not fit its config: {said}'):
        FrozenTeacher(args['config'], spoil(args['checkpoint'], change))


def test_all_kinds_of_misfits_are_listed_at_once(teacher_args, spoil):
    def change(state):
        state['renamed'] = state.pop('backbone.conv1.weight')
        state['head.fc.weight'] = state['head.fc.weight'][:4]

    args = teacher_args()
    listed = (
        'missing: backbone.conv1.weight; unexpected: renamed; of another shape: head.fc.weight'
    )
    with pytest.raises(ValueError, match=listed):
        FrozenTeacher(args['config'], spoil(args['checkpoint'], change))


def test_a_long_list_of_keys_is_cut_short(teacher_args, spoil):
    args = teacher_args()
    with pytest.raises(ValueError, match=r'missing: (\S+, ){5}\S+ and \d+ more\.'):
        FrozenTeacher(args['config'], spoil(args['checkpoint'], OrderedDict.clear))


def test_another_number_of_classes_is_an_error(teacher_args, teacher_config):
    checkpoint = teacher_args(num_classes=7)['checkpoint']
    with pytest.raises(ValueError, match=r'head.fc.weight \(7, 64\) instead of \(10, 64\)'):
        FrozenTeacher(teacher_config(num_classes=10), checkpoint)


@pytest.mark.parametrize('keep', [0, 100, 0.5])
def test_a_damaged_checkpoint_is_an_error(teacher_args, keep):
    args = teacher_args()
    with open(args['checkpoint'], 'r+b') as file:
        size = file.seek(0, os.SEEK_END)
        file.truncate(int(keep * size) if isinstance(keep, float) else keep)
    with pytest.raises(ValueError, match='is damaged'):
        FrozenTeacher(**args)


class Malice:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_code_in_a_checkpoint_is_refused_and_not_run(teacher_config, tmp_path):
    checkpoint, proof = tmp_path / 'evil.pth', tmp_path / 'proof'
    torch.save(dict(state_dict=Malice(proof)), checkpoint)
    with pytest.raises(ValueError, match='would need unsafe loading'):
        FrozenTeacher(teacher_config(), checkpoint)
    assert not proof.exists()
