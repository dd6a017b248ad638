"""Every file of configs/_base_/models: size, exact CAM, autocast, compilation and names."""

import re
import shutil
import sysconfig
from pathlib import Path

import pytest
import torch
from mmengine.model import BaseModule
from mmpretrain.registry import MODELS

from mmtmix.models.teachers.cam import has_exact_cam
from mmtmix.utils import load_config

pytestmark = pytest.mark.host

FOLDER = Path(__file__).resolve().parents[3] / 'configs/_base_/models'
# measured on the public networks
PARAMETERS = {
    'mobilenetv2_half_cifar100': 812_836,
    'preactresnet18_cifar100': 11_217_316,
    'preactresnet18_tinyimagenet': 11_268_616,
    'resnet110_cifar100': 1_736_564,
    'resnet14_cifar100': 181_108,
    'resnet18_cifar100': 11_220_132,
    'resnet18_imagenet': 11_689_512,
    'resnet18_tinyimagenet': 11_271_432,
    'resnet200_imagenet': 64_673_832,
    'resnet20_cifar100': 278_324,
    'resnet32_cifar100': 472_756,
    'resnet32x4_cifar100': 7_433_860,
    'resnet34_imagenet': 21_797_672,
    'resnet44_cifar100': 667_188,
    'resnet50_cifar100': 23_705_252,
    'resnet50_imagenet': 25_557_032,
    'resnet56_cifar100': 861_620,
    'resnet8_cifar100': 83_892,
    'resnet8x4_cifar100': 1_233_540,
    'resnext50_cifar100': 23_177_124,
    'shakeshake26_2x96d_cifar100': 26_227_572,
    'shufflenetv1_cifar100': 949_258,
    'shufflenetv2_cifar100': 1_355_528,
    'vgg11_cifar100': 9_277_284,
    'vgg13_cifar100': 9_462_180,
    'vgg16_cifar100': 14_774_436,
    'vgg16_imagenet': 138_357_544,
    'vgg19_cifar100': 20_086_692,
    'vgg8_cifar100': 3_965_028,
    'wrn16_1_cifar100': 180_916,
    'wrn16_2_cifar100': 703_284,
    'wrn28_10_cifar100': 36_536_884,
    'wrn28_10_puzzle_cifar100': 36_546_980,
    'wrn40_1_cifar100': 569_780,
    'wrn40_2_cifar100': 2_255_156,
}
# whose logits are no linear layer on pooled features, see test_vgg16; all others have an exact CAM
GRAD_CAM = {'vgg16_imagenet'}
# a file of each family, its network made small
SMALL = {
    'mobilenetv2_half_cifar100': {},
    'preactresnet18_cifar100': dict(base_channels=8),
    'resnet8_cifar100': {},
    'resnet200_imagenet': dict(depth=18, base_channels=8, stem_channels=8),
    'resnet50_cifar100': dict(depth=18, base_channels=8, stem_channels=8),
    'shakeshake26_2x96d_cifar100': dict(depth=8, base_channels=18),
    'shufflenetv1_cifar100': {},
    'shufflenetv2_cifar100': {},
    'vgg8_cifar100': {},
    'wrn16_1_cifar100': dict(depth=10),
}
CLASSES = {'tinyimagenet': 200, 'imagenet': 1000}


def classifier(name, **backbone):
    model = load_config(FOLDER / f'{name}.py').model.to_dict()
    model['backbone'].update(backbone)
    return model


def build(name, **backbone):
    torch.manual_seed(0)
    return MODELS.build(dict(classifier(name, **backbone), _scope_='mmpretrain'))


def small(name):
    """A small network of the file's family; its head fits what comes out of it."""
    model = build(name, **SMALL[name])
    for stage in getattr(model.backbone, 'layers', ()):
        if isinstance(stage, torch.nn.Sequential) and isinstance(stage[0], BaseModule):
            del stage[2:]  # further blocks are as the second one
    model.eval()
    with torch.no_grad():
        (features,) = model.backbone(torch.randn(1, 3, 64, 64))
    model.head.fc = torch.nn.Linear(features.size(1), 5)
    return model


def side_of(name):
    if name in GRAD_CAM:
        return 224  # its fully connected layers take no other size
    return 64 if 'imagenet' in name else 32


def test_every_file_is_tested_here():
    others = {'wrn16_fashionmnist'}  # of another input, tested with the configs that use it
    assert {path.stem for path in FOLDER.glob('*.py')} == PARAMETERS.keys() | others


@pytest.mark.parametrize('name', sorted(PARAMETERS.keys() - GRAD_CAM))
def test_it_has_the_public_networks_size_and_an_exact_cam(name, freeze, tmp_path):
    teacher = freeze(classifier(name))  # which CAM it takes is its own choice
    (tmp_path / 'frozen.pth').unlink()
    model = teacher.model
    assert sum(parameter.numel() for parameter in model.parameters()) == PARAMETERS[name]
    assert model.head.num_classes == CLASSES.get(name.rpartition('_')[2], 100)
    assert has_exact_cam(model)
    images = torch.randn(2, 3, side_of(name), side_of(name))
    classes = torch.tensor([3, 42])
    logits, cam = teacher.cam(images, classes)
    expected = logits[range(2), classes] - model.head.fc.bias[classes]
    torch.testing.assert_close(cam.mean(dim=(1, 2, 3)), expected, atol=1e-5, rtol=1e-4)
    assert cam.flatten(1).std(dim=1).gt(0).all()
    torch.testing.assert_close(logits, teacher(images))


@pytest.mark.parametrize('name', SMALL)
def test_grad_cam_finds_the_pooled_tensor(name, freeze):
    images, classes = torch.randn(2, 3, 64, 64), torch.tensor([3, 4])
    config = classifier(name, **SMALL[name])
    config['head'].update(num_classes=5, in_channels=small(name).head.fc.in_features)
    _, cam = freeze(config).cam(images, classes)
    _, graded = freeze(config, saliency='grad_cam').cam(images, classes)
    pixels = cam.size(-2) * cam.size(-1)
    torch.testing.assert_close(graded, cam.relu() / pixels, atol=1e-6, rtol=1e-3)


@pytest.mark.parametrize(
    ('name', 'side', 'shape'),
    [
        ('preactresnet18_tinyimagenet', 64, (512, 4, 4)),
        ('resnet200_imagenet', 224, (2048, 7, 7)),
        ('resnet50_cifar100', 32, (2048, 4, 4)),
        ('vgg8_cifar100', 64, (512, 8, 8)),
        ('wrn28_10_cifar100', 32, (640, 8, 8)),
        ('shakeshake26_2x96d_cifar100', 32, (384, 8, 8)),
    ],
)
def test_one_map_comes_out(name, side, shape):
    backbone = build(name).backbone
    backbone.eval()
    with torch.no_grad():
        outputs = backbone(torch.randn(1, 3, side, side))
    assert isinstance(outputs, tuple)
    assert [output.shape[1:] for output in outputs] == [shape]
    assert (outputs[0] < 0).any() == name.startswith('preact')


@pytest.mark.parametrize('name', sorted(PARAMETERS.keys() - GRAD_CAM))
def test_images_of_all_sizes_in_the_papers_give_logits(name):
    model = build(name).eval()
    for side in (32, 64, 224) if 'imagenet' in name.split('_') else (32, 64):
        with torch.no_grad():
            logits = model(torch.randn(1, 3, side, side), mode='tensor')
        assert logits.shape == (1, CLASSES.get(name.rpartition('_')[2], 100))
        assert logits.isfinite().all()


@pytest.mark.parametrize('name', PARAMETERS)
def test_under_bfloat16_losses_and_gradients_are_finite(name):
    model = build(name)
    model.init_weights()
    model.train()
    # small images, for CPUs that emulate bfloat16
    side = 32 if name in GRAD_CAM else side_of(name) // 2
    if name in GRAD_CAM:
        model.backbone.classifier[0] = torch.nn.Linear(512, 4096)  # of a single position
    images = torch.randn(2, 3, side, side)
    with torch.autocast('cpu', torch.bfloat16):
        logits = model(images, mode='tensor')
    assert logits.dtype == torch.bfloat16
    loss = torch.nn.functional.cross_entropy(logits.float(), torch.tensor([1, 2]))
    loss.backward()
    assert loss.isfinite()
    for parameter in model.parameters():
        assert parameter.grad.isfinite().all()
    # the first layer learns from the images
    assert next(model.parameters()).grad.any()


def train_step(name, backend=None):
    """Logits and the first layer's gradient from one pass of a small network."""
    model = small(name).train()
    forward = model.forward
    if backend is not None:
        torch._dynamo.reset()
        forward = torch.compile(model, fullgraph=True, backend=backend)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(0)
    logits = forward(images, mode='tensor')
    logits.square().sum().backward()
    return logits.detach(), next(model.parameters()).grad


@pytest.mark.parametrize('name', SMALL)
def test_it_compiles_without_a_graph_break(name):
    # Shake-Shake alone has a backward pass of its own
    backend = 'aot_eager' if name.startswith('shakeshake') else 'eager'
    logits, gradient = train_step(name, backend)
    expected, expected_gradient = train_step(name)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    scale = expected_gradient.abs().max().item()
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-2 * scale, rtol=0)


CAN_COMPILE = shutil.which('g++') and Path(sysconfig.get_path('include'), 'Python.h').is_file()


@pytest.mark.skipif(not CAN_COMPILE, reason='no C++ compiler, or no headers of Python')
def test_one_compiles_to_machine_code():
    model = small('resnet8_cifar100').backbone
    images = torch.randn(2, 3, 32, 32)
    torch._dynamo.reset()
    with torch.no_grad():
        compiled = torch.compile(model, fullgraph=True)(images)
        torch.testing.assert_close(compiled, model(images), atol=1e-4, rtol=1e-4)


NAMES = {
    'mobilenetv2_half_cifar100': 'conv1.# layers.#.#.conv.# conv2.#',
    'preactresnet18_cifar100': 'conv1 layers.#.#.{bn1,conv1,bn2,conv2,shortcut}',
    'resnet8x4_cifar100': 'conv1 bn1 layer#.#.{conv1,bn1,conv2,bn2,downsample.#}',
    'shakeshake26_2x96d_cifar100': 'conv1 bn1 layers.#.#.{branch1.#,branch2.#} '
    'layers.#.#.shortcut.{conv1,conv2,bn}',
    'shufflenetv1_cifar100': 'conv1 bn1 layers.#.#.{conv1,bn1,conv2,bn2,conv3,bn3}',
    'shufflenetv2_cifar100': 'conv1.{conv,bn} '
    'layers.#.#.{branch1.#.conv,branch1.#.bn,branch2.#.conv,branch2.#.bn} layers.#.{conv,bn}',
    'vgg8_cifar100': 'layers.#.#',
    'wrn16_1_cifar100': 'conv1 layers.#.#.{bn1,conv1,bn2,conv2,shortcut} bn1',
}


@pytest.mark.parametrize('name', NAMES)
def test_checkpoints_keep_their_keys(name):
    expected = set()
    for pattern in NAMES[name].split():
        stem, _, choices = pattern.rstrip('}').partition('{')
        expected |= {stem + choice for choice in choices.split(',')}
    keys = {key.rpartition('.')[0] for key in build(name).backbone.state_dict()}
    assert {re.sub(r'(?<=\.)\d+|(?<=layer)\d', '#', key) for key in keys} == expected


def test_heads_are_initialised_as_in_the_papers():
    for name, std in (
        ('vgg8_cifar100', 0.01),
        ('mobilenetv2_half_cifar100', 0.01),
        ('preactresnet18_cifar100', (3 * 512) ** -0.5),
        ('resnet20_cifar100', (3 * 64) ** -0.5),
    ):
        model = build(name)
        model.init_weights()
        assert model.head.fc.weight.std().item() == pytest.approx(std, rel=0.05)
