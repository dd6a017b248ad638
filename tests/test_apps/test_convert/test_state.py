"""Which weights are taken for which network, and what is said of all others."""

import pytest
import torch

from mmtmix.apps.convert import convert_state

pytestmark = pytest.mark.host


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
    assert str(caught.value) == f'this is no checkpoint of resnet8. Against resnet8:\n  {listed}'


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


def test_a_network_that_fits_is_named_first_and_few_keys(resnet8):
    with pytest.raises(ValueError) as caught:
        convert_state(resnet8.state, 'resnet56')
    first, *kinds = str(caught.value).splitlines()
    assert first == 'this is no checkpoint of resnet56; --arch resnet8 fits. Against resnet56:'
    assert len(kinds) == 1 and kinds[0].startswith('  missing: backbone.layer1.1.conv1.weight, ')
    assert kinds[0].count(', ') == 5 and kinds[0].endswith(' more')


def test_a_network_that_fits_is_named_for_any_number_of_classes(reference):
    with pytest.raises(
        ValueError, match='no checkpoint of resnet14; --arch resnet8 fits. Against'
    ):
        convert_state(reference('resnet8', 7).state, 'resnet14', num_classes=7)


def test_the_two_wide_networks_are_told_apart(reference):
    """The zoo's WRN has no convolution biases and its own names."""
    with pytest.raises(ValueError, match='checkpoint of puzzle_wrn28_10'):
        convert_state(reference('wrn_16_2').state, 'puzzle_wrn28_10')


def test_an_unknown_network_is_refused_with_those_that_are_known(resnet8):
    with pytest.raises(ValueError, match="'resnet8', .*'puzzle_wrn28_10', .*got 'resnet9'"):
        convert_state(resnet8.state, 'resnet9')


def test_another_number_of_classes_is_refused_with_the_network_that_fits(reference):
    """The two differ in the stride of the stem, which no weight tells."""
    state = reference('puzzle_preactresnet18_tinyimagenet', classes=200, size=64).state
    with pytest.raises(ValueError) as caught:
        convert_state(state, 'puzzle_preactresnet18')
    assert str(caught.value) == (
        'the file has 200 classes and the config of puzzle_preactresnet18 100; '
        '--arch puzzle_preactresnet18_tinyimagenet would fit. If 200 is right, give '
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
        f'the file has {classes} classes and {whose}. If {classes} is right, give '
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
        'this is no checkpoint of resnet8. Against resnet8:\n  of another type: '
        f'backbone.bn1.weight {dtype} instead of torch.float32'
    )


def test_counters_may_be_averages(resnet8):
    """As in states that were averaged over epochs."""
    name = 'bn1.num_batches_tracked'
    state = convert_state(resnet8.state | {name: torch.tensor(7.5)}, 'resnet8')
    assert state[f'backbone.{name}'] == 7
    with pytest.raises(ValueError, match='of another type: backbone.bn1.num_batches_tracked'):
        convert_state(resnet8.state | {name: torch.tensor(7j)}, 'resnet8')
