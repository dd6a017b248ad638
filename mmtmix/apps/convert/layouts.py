"""Key layouts of other code bases' checkpoints, for the networks that this library has, too.

A layout is a list of (pattern, replacement). The first pattern that matches a whole key decides.
Its replacement is the key in a classifier of MMPretrain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Replacement = str | Callable[[re.Match], str]
Rule = tuple[str, Replacement]


@dataclass(frozen=True)
class Arch:
    """A network that checkpoints can be converted for.

    Attributes:
        config: File in ``configs/_base_/models``, without the suffix.
        rules: Key layout of its checkpoints.
        classifier: Name of the last linear layer in MMPretrain's classifier.
        images: File in ``configs/_base_/datasets`` with the normalisation of the images that its
            checkpoints were trained on.
    """

    config: str
    rules: Sequence[Rule]
    classifier: str = 'head.fc'
    images: str = 'cifar100_supermix'


def rename(key: str, rules: Sequence[Rule]) -> str | None:
    """Return the key in MMPretrain's classifier; None if no rule matches.

    Args:
        key: Key in the other code base.
        rules: Layout, the patterns in order.
    """
    for pattern, replacement in rules:
        if re.fullmatch(pattern, key):
            return re.sub(pattern, replacement, key)
    return None


def _stage(template: str) -> Callable[[re.Match], str]:
    """Return a replacement with the groups of a match; the first, a stage, then counts from 0."""
    return lambda match: template.format(int(match[1]) - 1, *match.groups()[1:])


_HEAD = (r'(?:fc|linear|classifier|classifier\.0)\.(weight|bias)', r'head.fc.\1')
_OTHERS = (r'((?:conv1|bn1|layer\d\.).*)', r'backbone.\1')

RESNET: list[Rule] = [
    _HEAD,
    (r'(layer\d\.\d+)\.shortcut\.(.+)', r'backbone.\1.downsample.\2'),
    _OTHERS,
]
ZOO_WRN: list[Rule] = [
    _HEAD,
    (r'block(\d)\.layer\.(\d+)\.convShortcut\.(.+)', _stage('backbone.layers.{}.{}.shortcut.{}')),
    (r'block(\d)\.layer\.(\d+\..+)', _stage('backbone.layers.{}.{}')),
    (r'((?:conv1|bn1)\..+)', r'backbone.\1'),
]
PREACTIVATION: list[Rule] = [  # PuzzleMix's networks
    _HEAD,
    (r'layer(\d)\.(\d+)\.shortcut\.0\.(.+)', _stage('backbone.layers.{}.{}.shortcut.{}')),
    (r'layer(\d)\.(\d+\..+)', _stage('backbone.layers.{}.{}')),
    (r'((?:conv1|bn1)\..+)', r'backbone.\1'),
]
ZOO_VGG: list[Rule] = [_HEAD, (r'block(\d\.\d+\..+)', r'backbone.layers.\1')]
ZOO_MOBILENET_V2: list[Rule] = [
    _HEAD,
    (r'blocks\.(\d+\.\d+\.conv\..+)', r'backbone.layers.\1'),
    (r'((?:conv1|conv2)\.[01]\..+)', r'backbone.\1'),
]
ZOO_SHUFFLENET_V1: list[Rule] = [
    _HEAD,
    (r'layer(\d)\.(\d+\..+)', _stage('backbone.layers.{}.{}')),
    (r'((?:conv1|bn1)\..+)', r'backbone.\1'),
]


def _shuffle_unit(match: re.Match) -> str:
    """Return MMPretrain's key of a convolution or norm in a unit of ShuffleNetV2."""
    stage, unit, kind, number, rest = match.groups()
    index = int(number) - 1
    # only the first unit of a stage has two branches, with two and three convolutions
    if unit != '0':
        branch, place = 2, index
    else:
        branch, place = (1, index) if index < 2 else (2, index - 2)
    return f'backbone.layers.{int(stage) - 1}.{unit}.branch{branch}.{place}.{kind}.{rest}'


ZOO_SHUFFLENET_V2: list[Rule] = [
    _HEAD,
    (r'layer(\d)\.(\d+)\.(conv|bn)(\d)\.(.+)', _shuffle_unit),
    (r'(conv|bn)1\.(.+)', r'backbone.conv1.\1.\2'),
    (r'(conv|bn)2\.(.+)', r'backbone.layers.3.\1.\2'),
]


def _plain_vgg(counts: Sequence[int]) -> list[Rule]:
    """Return the layout of torchvision's VGG.

    Torchvision counts a convolution and its ReLU as two layers, MMPretrain as one.
    """
    rules: list[Rule] = [(r'(classifier\.[036]\..+)', r'backbone.\1')]
    theirs = ours = 0
    for count in counts:
        for _ in range(count):
            rules.append((rf'features\.{theirs}\.(.+)', rf'backbone.features.{ours}.conv.\1'))
            theirs, ours = theirs + 2, ours + 1
        theirs, ours = theirs + 1, ours + 1  # the pooling
    return rules


def _zoo_resnets() -> dict[str, Arch]:
    names = [f'resnet{depth}' for depth in (8, 14, 20, 32, 44, 56, 110)]
    names += ['resnet8x4', 'resnet32x4']
    found = {name: Arch(f'{name}_cifar100', RESNET) for name in names}
    found['ResNet50'] = Arch('resnet50_cifar100', RESNET)
    return found


def _zoo_others() -> dict[str, Arch]:
    found = {
        f'wrn_{depth}_{width}': Arch(f'wrn{depth}_{width}_cifar100', ZOO_WRN)
        for depth, width in ((16, 1), (16, 2), (28, 10), (40, 1), (40, 2))
    }
    for depth in (8, 11, 13, 16, 19):
        found[f'vgg{depth}'] = Arch(f'vgg{depth}_cifar100', ZOO_VGG)
    found['MobileNetV2'] = Arch('mobilenetv2_half_cifar100', ZOO_MOBILENET_V2)
    found['ShuffleV1'] = Arch('shufflenetv1_cifar100', ZOO_SHUFFLENET_V1)
    found['ShuffleV2'] = Arch('shufflenetv2_cifar100', ZOO_SHUFFLENET_V2)
    return found


def _puzzle() -> dict[str, Arch]:
    cifar, tiny = 'cifar100_puzzle', 'tiny_imagenet_puzzle'
    resnet = 'preactresnet18_tinyimagenet'
    return {
        'puzzle_wrn28_10': Arch('wrn28_10_puzzle_cifar100', PREACTIVATION, images=cifar),
        'puzzle_preactresnet18': Arch('preactresnet18_cifar100', PREACTIVATION, images=cifar),
        'puzzle_preactresnet18_tinyimagenet': Arch(resnet, PREACTIVATION, images=tiny),
    }


def _imagenet() -> dict[str, Arch]:
    names = [f'resnet{depth}_imagenet' for depth in (18, 34, 50, 200)]  # torchvision's, timm's
    images = 'imagenet_supermix'
    found = {name: Arch(name, RESNET, images=images) for name in names}
    vgg16 = _plain_vgg((2, 2, 3, 3, 3))
    found['vgg16_imagenet'] = Arch('vgg16_imagenet', vgg16, 'backbone.classifier.6', images)
    return found


ARCHS: dict[str, Arch] = {**_zoo_resnets(), **_zoo_others(), **_puzzle(), **_imagenet()}
"""Networks by their names in the other code bases."""
