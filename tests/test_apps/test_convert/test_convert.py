"""A file is converted whole or not at all, and what comes out is a checkpoint like any other."""

import argparse
import hashlib
import re
from pathlib import Path

import pytest
import torch

from mmtmix.apps.convert import ARCHS, convert_checkpoint, describe_use
from mmtmix.apps.convert.convert import count_classes
from mmtmix.models import FrozenTeacher
from mmtmix.utils import load_checkpoint, load_config

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[3]
AS_THEY_ARE = dict(mean=[0.0, 0.0, 0.0], std=[1.0, 1.0, 1.0])


@pytest.fixture
def source(resnet8, tmp_path):
    """A file as the distillation zoo's."""
    path = tmp_path / 'zoo' / 'ckpt_epoch_240.pth'
    path.parent.mkdir()
    torch.save(dict(epoch=240, accuracy=75.6, model=resnet8.state), path)
    return path


@pytest.fixture
def target(tmp_path):
    return tmp_path / 'converted' / 'resnet8.pth'


def test_the_result_is_an_ordinary_checkpoint(source, target):
    returned = convert_checkpoint(source, target, 'resnet8')
    content = torch.load(target, weights_only=True)
    assert content.keys() == {'meta', 'state_dict'}
    assert content['meta'] == dict(
        arch='resnet8',
        config='configs/_base_/models/resnet8_cifar100.py',
        source_sha256=hashlib.sha256(source.read_bytes()).hexdigest(),
    )
    state = load_checkpoint(target)['state_dict']
    assert list(state) == list(returned)
    assert all(torch.equal(state[key], returned[key]) for key in returned)


@pytest.mark.parametrize('arch', ['resnet8', 'wrn_16_2', 'ShuffleV2', 'puzzle_preactresnet18'])
def test_the_result_is_a_teacher_with_its_config(arch, reference, target, tmp_path):
    network = reference(arch)
    wrapped = {f'module.{key}': value for key, value in network.state.items()}
    torch.save(dict(state_dict=wrapped), tmp_path / 'source.pth')
    convert_checkpoint(tmp_path / 'source.pth', target, arch)
    model = load_config(torch.load(target, weights_only=True)['meta']['config']).model
    teacher = FrozenTeacher(dict(model=model, data_preprocessor=AS_THEY_ARE), target)
    with torch.no_grad():
        logits = teacher(network.images)
    scale = network.logits.std()
    torch.testing.assert_close(logits / scale, network.logits / scale, atol=1e-4, rtol=0)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_another_precision_become_float32_with_a_note(
    dtype, resnet8, tmp_path, target, capsys
):
    other = {
        key: value.to(dtype) if value.is_floating_point() else value
        for key, value in resnet8.state.items()
    }
    torch.save(other, tmp_path / 'source.pth')
    state = convert_checkpoint(tmp_path / 'source.pth', target, 'resnet8')
    assert f'note: weights of {dtype} become torch.float32' in capsys.readouterr().out
    kinds = {key.rpartition('.')[2]: value.dtype for key, value in state.items()}
    assert kinds.pop('num_batches_tracked') == torch.int64
    assert set(kinds.values()) == {torch.float32}
    assert torch.equal(state['head.fc.weight'], other['fc.weight'].float())


def test_nothing_is_noted_of_single_precision(source, target, capsys):
    convert_checkpoint(source, target, 'resnet8')
    assert capsys.readouterr().out == ''


def failing(state, kind):
    """What is in the file, the arch and whether it is trusted, for each way to fail."""
    return {
        'left over': (dict(model=state | {'extra': torch.ones(1)}), 'resnet8', False),
        'unsafe': (dict(model=state, opt=argparse.Namespace()), 'resnet8', False),
        'not even trusted': (dict(opt=argparse.Namespace()), 'resnet8', True),
        'unknown': (dict(model=state), 'resnet9', False),
    }[kind]


@pytest.mark.parametrize('kind', ['left over', 'unsafe', 'not even trusted', 'unknown'])
def test_nothing_is_written_by_a_conversion_that_fails(kind, resnet8, tmp_path, target):
    content, arch, trust = failing(resnet8.state, kind)
    torch.save(content, tmp_path / 'source.pth')
    with pytest.raises(ValueError):
        convert_checkpoint(tmp_path / 'source.pth', target, arch, trust)
    assert not target.parent.exists()


@pytest.mark.parametrize('had_one', [True, False])
def test_a_full_disk_leaves_what_was_there(had_one, source, target, monkeypatch):
    target.parent.mkdir()
    if had_one:
        target.write_text('an older one')

    def save(content, file):
        file.write(b'half of it')
        raise OSError('No space left on device')

    monkeypatch.setattr(torch, 'save', save)
    with pytest.raises(OSError, match='No space left'):
        convert_checkpoint(source, target, 'resnet8', force=True)
    assert [file.name for file in target.parent.iterdir()] == [target.name] * had_one
    assert not had_one or target.read_text() == 'an older one'


def test_a_target_that_exists_is_replaced_only_on_demand(source, target):
    target.parent.mkdir()
    target.write_text('an older one')
    with pytest.raises(FileExistsError, match='resnet8.pth. exists; .*: --force'):
        convert_checkpoint(source, target, 'resnet8')
    assert target.read_text() == 'an older one'
    convert_checkpoint(source, target, 'resnet8', force=True)
    assert load_checkpoint(target)['meta']['arch'] == 'resnet8'


def test_a_folder_is_no_target(source, target):
    target.mkdir(parents=True)
    for force in (False, True):
        with pytest.raises(IsADirectoryError, match=f"'{target}' is a folder; name a file"):
            convert_checkpoint(source, target, 'resnet8', force=force)


@pytest.mark.parametrize('arch', ARCHS)
def test_use_is_described_with_configs_that_give_a_teacher(arch, tmp_path, monkeypatch):
    classes = count_classes(ARCHS[arch])
    first, *rest = describe_use('x/last.pth', arch, classes).splitlines()
    match = re.fullmatch(r'as a teacher: dict\(config=(.+), checkpoint=.x/last\.pth.\)', first)
    if match[1] != '...':
        assert not rest
        cfg = load_config(match[1][1:-1])
    else:
        bases = re.findall(r"'(\S+?)'", rest[0])
        (tmp_path / 'own.py').write_text(f'_base_ = {[str(ROOT / base) for base in bases]}')
        cfg = load_config(tmp_path / 'own.py')
    own = load_config(f'configs/_base_/models/{ARCHS[arch].config}.py').model
    assert cfg.model == own
    assert {'mean', 'std'} <= cfg.data_preprocessor.keys()
    assert cfg.data_preprocessor.num_classes == classes


def test_the_described_config_makes_a_teacher_of_other_classes(reference, target, tmp_path):
    network = reference('resnet8', 10)
    torch.save(network.state, tmp_path / 'source.pth')
    convert_checkpoint(tmp_path / 'source.pth', target, 'resnet8', num_classes=10)
    said = describe_use(target, 'resnet8', 10)
    bases = [str(ROOT / base) for base in re.findall(r"'(\S+?\.py)'", said)]
    (part,) = re.findall(r'num_classes=10 in model\.(\w+) and in data_preprocessor', said)
    own = f'_base_ = {bases}\nmodel = dict({part}=dict(num_classes=10))\n'
    (tmp_path / 'own.py').write_text(f'{own}data_preprocessor = dict(num_classes=10)\n')
    assert FrozenTeacher(tmp_path / 'own.py', target)(network.images).shape == (2, 10)


def test_use_names_the_experiment_and_the_fields_of_other_classes():
    def config_of(arch, classes=100):
        return describe_use('a.pth', arch, classes).partition('config=')[2]

    assert config_of('wrn_40_2').startswith("'configs/distill/teacher_wrn40_2_cifar100.py'")
    assert config_of('puzzle_wrn28_10').startswith("'configs/simple/wrn28_cifar100.py'")
    bases = "['configs/_base_/models/{}.py', 'configs/_base_/datasets/{}.py']"
    assert bases.format('resnet8_cifar100', 'cifar100_supermix') in config_of('resnet8')
    text = config_of('wrn_40_2', 10)
    assert text.startswith('..., ') and 'num_classes=10 in model.head and in data_pre' in text
    assert 'num_classes=7 in model.backbone and' in config_of('vgg16_imagenet', 7)


@pytest.mark.parametrize('force', [False, True])
def test_the_source_is_not_overwritten(force, tmp_path, reference):
    path = tmp_path / 'same.pth'
    torch.save(reference('resnet8', 7).state, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match='target is the source itself'):
        convert_checkpoint(path, path, 'resnet8', force=force)
    assert path.read_bytes() == before


def test_weights_that_are_not_finite_are_named_with_their_file(resnet8, source, target):
    state = dict(
        resnet8.state, **{'fc.bias': torch.full_like(resnet8.state['fc.bias'], torch.nan)}
    )
    torch.save(dict(model=state), source)
    with pytest.raises(
        ValueError, match=r'ckpt_epoch_240\.pth.* holds NaN or infinity in fc\.bias;'
    ):
        convert_checkpoint(source, target, 'resnet8')
    assert not target.exists()
