"""Converted weights give the logits of the network that they come from."""

from functools import partial

import pytest
import torch
from torchvision.models import vgg16
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from mmtmix.apps.convert import ARCHS, convert_state
from mmtmix.apps.convert.convert import build_network

pytestmark = pytest.mark.host

# measured on the public networks, at 100 classes; where they are for others, at those
PARAMETERS = {
    'resnet8': 83_892,
    'resnet14': 181_108,
    'resnet20': 278_324,
    'resnet32': 472_756,
    'resnet44': 667_188,
    'resnet56': 861_620,
    'resnet110': 1_736_564,
    'resnet8x4': 1_233_540,
    'resnet32x4': 7_433_860,
    'ResNet50': 23_705_252,
    'wrn_16_1': 180_916,
    'wrn_16_2': 703_284,
    'wrn_40_1': 569_780,
    'wrn_28_10': 36_536_884,
    'wrn_40_2': 2_255_156,
    'vgg8': 3_965_028,
    'vgg11': 9_277_284,
    'vgg13': 9_462_180,
    'vgg16': 14_774_436,
    'vgg19': 20_086_692,
    'MobileNetV2': 812_836,
    'ShuffleV1': 949_258,
    'ShuffleV2': 1_355_528,
    'puzzle_wrn28_10': 36_546_980,
    'puzzle_preactresnet18': 11_217_316,
    'puzzle_preactresnet18_tinyimagenet': 11_268_616,
    'resnet18_imagenet': 11_689_512,
    'resnet34_imagenet': 21_797_672,
    'resnet50_imagenet': 25_557_032,
    'resnet200_imagenet': 64_673_832,
    'vgg16_imagenet': 138_357_544,
}
TORCHVISION = {
    'resnet18_imagenet': partial(ResNet, BasicBlock, [2, 2, 2, 2]),
    'resnet34_imagenet': partial(ResNet, BasicBlock, [3, 4, 6, 3]),
    'resnet50_imagenet': partial(ResNet, Bottleneck, [3, 4, 6, 3]),
    'resnet200_imagenet': partial(ResNet, Bottleneck, [3, 24, 36, 3]),
    'vgg16_imagenet': vgg16,
}
BUFFERS = ('running_mean', 'running_var', 'num_batches_tracked')


def of_torchvision(arch):
    """The state of torchvision's own network, images and its logits."""
    torch.manual_seed(0)
    side = 224 if arch.startswith('vgg') else 64
    # coarse patches, since to a VGG without norms fine noise always looks the same
    coarse = torch.randn(2, 3, side // 16, side // 16)
    model, images = TORCHVISION[arch](), torch.nn.functional.interpolate(coarse, scale_factor=16)
    for layer in model.modules():
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.kaiming_normal_(layer.weight)  # VGG's own leaves logits to the biases
        if isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d)) and layer.bias is not None:
            torch.nn.init.uniform_(layer.bias, -0.1, 0.1)
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
            torch.nn.init.uniform_(layer.bias, -0.5, 0.5)
            layer.momentum = 0.9
    with torch.no_grad():
        model(images)
        return model.state_dict(), images, model.eval()(images)


def logits_of(arch, state, images):
    classes = len(state[f'{ARCHS[arch].classifier}.weight'])
    model = build_network(ARCHS[arch], classes).eval()
    model.load_state_dict(state)
    with torch.no_grad():
        return model(images, mode='tensor')


def assert_same(found, expected):
    scale = expected.std()
    # images that give nearly the same logits would prove little
    assert (expected[0] - expected[1]).std() > 0.1 * scale
    torch.testing.assert_close(found / scale, expected / scale, atol=1e-4, rtol=0)


def test_every_network_has_its_size_here():
    assert PARAMETERS.keys() == ARCHS.keys()


@pytest.mark.parametrize('arch', ARCHS)
def test_logits_are_those_of_the_public_network(arch, reference):
    if arch in TORCHVISION:
        source, images, logits = of_torchvision(arch)
    elif arch.endswith('tinyimagenet'):
        source, images, logits = reference(arch, classes=200, size=64)
    else:
        source, images, logits = reference(arch)
    weights = [value for key, value in source.items() if not key.endswith(BUFFERS)]
    assert sum(value.numel() for value in weights) == PARAMETERS[arch]
    state = convert_state(source, arch)
    assert len(state) == len(source)
    assert_same(logits_of(arch, state, images), logits)


@pytest.mark.parametrize(
    'arch', ['resnet8x4', 'wrn_16_1', 'vgg8', 'MobileNetV2', 'ShuffleV1', 'ShuffleV2']
)
def test_a_network_may_have_another_number_of_classes(arch, reference):
    source = reference(arch, classes=7)
    state = convert_state(source.state, arch, num_classes=7)
    assert state['head.fc.weight'].size(0) == 7
    assert_same(logits_of(arch, state, source.images), source.logits)


def test_old_files_without_counters_of_batches_convert(reference):
    source = reference('resnet8')
    old = {key: value for key, value in source.state.items() if 'num_batches' not in key}
    assert len(old) < len(source.state)
    state = convert_state(old, 'resnet8')
    assert_same(logits_of('resnet8', state, source.images), source.logits)


def test_nothing_is_shared_with_the_source(reference):
    source = reference('resnet8').state
    before = {key: value.clone() for key, value in source.items()}
    for value in convert_state(source, 'resnet8').values():
        value.zero_()
    assert all(torch.equal(source[key], before[key]) for key in before)
