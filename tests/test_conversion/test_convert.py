"""A file is converted whole or not at all, and what comes out is a checkpoint like any other."""

import argparse
import hashlib
import re
from pathlib import Path

import pytest
import torch

from mmtmix.conversion import ARCHS, convert_checkpoint, convert_state, describe_use
from mmtmix.conversion.convert import count_classes
from mmtmix.models import FrozenTeacher
from mmtmix.utils import load_checkpoint, load_config

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[2]
AS_THEY_ARE = dict(mean=[0.0, 0.0, 0.0], std=[1.0, 1.0, 1.0])


@pytest.fixture(scope='module')
def resnet8(reference):
    return reference('resnet8')


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


def edited(state, remove=(), **add):
    kept = {key: value for key, value in state.items() if key not in remove}
    return kept | {key.replace('__', '.'): value for key, value in add.items()}


ONE = torch.ones(1)
CHANGES = {
    'left over': (dict(extra__weight=ONE), 'left over: extra.weight'),
    'of other blocks': (
        dict(layer1__1__conv1__weight=ONE, layer3__9__bn1__bias=ONE),
        'left over: backbone.layer1.1.conv1.weight, backbone.layer3.9.bn1.bias',
    ),
    'twice': (dict(linear__weight=torch.ones(100, 64)), 'left over: linear.weight'),
    'missing': (
        dict(remove=('bn1.bias', 'layer2.0.downsample.0.weight', 'fc.bias')),
        'missing: backbone.bn1.bias, backbone.layer2.0.downsample.0.weight, head.fc.bias',
    ),
    'shape': (
        dict(conv1__weight=torch.ones(16, 1, 3, 3)),
        'of another shape: backbone.conv1.weight (16, 1, 3, 3) instead of (16, 3, 3, 3)',
    ),
    'all three': (
        dict(remove=('bn1.bias',), extra=ONE, bn1__weight=ONE),
        'left over: extra\n  missing: backbone.bn1.bias\n'
        '  of another shape: backbone.bn1.weight (1,) instead of (16,)',
    ),
}


@pytest.mark.parametrize('change', CHANGES)
def test_whatever_does_not_fit_is_listed(change, resnet8):
    changes, listed = CHANGES[change]
    with pytest.raises(ValueError) as caught:
        convert_state(edited(resnet8.state, **changes), 'resnet8')
    assert str(caught.value) == f'this is no checkpoint of resnet8:\n  {listed}'


@pytest.mark.parametrize(
    'changes', [dict(remove=('fc.weight',)), dict(fc__weight=torch.ones(9, 64, 1, 1))]
)
def test_weights_without_a_linear_classifier_are_refused(changes, resnet8):
    keys = r'no linear classifier among the keys conv1\.weight, .* and \d+ more; .* of resnet8\?'
    with pytest.raises(ValueError, match=keys):
        convert_state(edited(resnet8.state, **changes), 'resnet8')


@pytest.mark.parametrize('arch', ['resnet14', 'resnet8x4', 'wrn_16_1', 'vgg8', 'ShuffleV1'])
def test_a_file_of_another_network_is_refused(arch, resnet8):
    with pytest.raises(ValueError, match=f'checkpoint of {arch}'):
        convert_state(resnet8.state, arch)


def test_the_two_wide_networks_are_told_apart(reference):
    """The zoo's WRN has no convolution biases and its own names."""
    with pytest.raises(ValueError, match='checkpoint of puzzle_wrn28_10'):
        convert_state(reference('wrn_16_2').state, 'puzzle_wrn28_10')


def test_an_unknown_network_is_refused_with_those_that_are_known(resnet8):
    with pytest.raises(ValueError, match="resnet8, .*puzzle_wrn28_10, .*got 'resnet9'"):
        convert_state(resnet8.state, 'resnet9')


def test_another_number_of_classes_is_refused_with_the_network_that_fits(reference):
    """The two differ in the stride of the stem, which no weight tells."""
    state = reference('puzzle_preactresnet18_tinyimagenet', classes=200, size=64).state
    with pytest.raises(ValueError) as caught:
        convert_state(state, 'puzzle_preactresnet18')
    assert str(caught.value) == (
        'the file has 200 classes and the config of puzzle_preactresnet18 100; '
        '--arch puzzle_preactresnet18_tinyimagenet would fit. If 200 are meant, say '
        '--num-classes 200'
    )
    assert convert_state(state, 'puzzle_preactresnet18_tinyimagenet').keys() == (
        convert_state(state, 'puzzle_preactresnet18', num_classes=200).keys()
    )


@pytest.mark.parametrize(
    ('classes', 'meant', 'whose'),
    [
        (10, None, 'the config of resnet8 100'),
        (10, 100, '--num-classes 100'),
        (10, 11, '--num-classes 11'),
        (100, 10, '--num-classes 10'),
    ],
)
def test_both_numbers_of_classes_are_named(classes, meant, whose, reference):
    with pytest.raises(ValueError) as caught:
        convert_state(reference('resnet8', classes).state, 'resnet8', meant)
    assert str(caught.value) == (
        f'the file has {classes} classes and {whose}. If {classes} are meant, say '
        f'--num-classes {classes}'
    )


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
def test_weights_that_are_not_finite_are_refused(value, resnet8):
    spoilt = {key: tensor.clone() for key, tensor in resnet8.state.items()}
    spoilt['layer1.0.conv1.weight'][3, 2, 1, 0] = value
    spoilt['bn1.running_var'][5] = value
    with pytest.raises(ValueError) as caught:
        convert_state(spoilt, 'resnet8')
    assert str(caught.value) == (
        'these weights hold NaN or infinity as torch.float32: bn1.running_var, '
        'layer1.0.conv1.weight'
    )


def test_weights_that_single_precision_cannot_hold_are_refused(resnet8):
    large = resnet8.state['fc.bias'].double()
    large[3] = 1e300
    with pytest.raises(ValueError, match=r'infinity as torch\.float32: fc\.bias$'):
        convert_state(resnet8.state | {'fc.bias': large}, 'resnet8')


@pytest.mark.parametrize('dtype', [torch.complex64, torch.bool, torch.int64, torch.int8])
def test_weights_that_are_no_real_numbers_are_refused(dtype, resnet8):
    other = resnet8.state['bn1.weight'].to(dtype)
    with pytest.raises(ValueError) as caught:
        convert_state(resnet8.state | {'bn1.weight': other}, 'resnet8')
    assert str(caught.value) == (
        'this is no checkpoint of resnet8:\n  of another type: '
        f'backbone.bn1.weight {dtype} instead of torch.float32'
    )


def test_counters_may_be_averages(resnet8):
    """As in states that were averaged over epochs."""
    name = 'bn1.num_batches_tracked'
    state = convert_state(resnet8.state | {name: torch.tensor(7.5)}, 'resnet8')
    assert state[f'backbone.{name}'] == 7
    with pytest.raises(ValueError, match='of another type: backbone.bn1.num_batches_tracked'):
        convert_state(resnet8.state | {name: torch.tensor(7j)}, 'resnet8')


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
        'left over': (dict(model=edited(state, extra=ONE)), 'resnet8', False),
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

    def save(content, path):
        path.write_bytes(b'half of it')
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
