"""What TransformMix's tables and recipes say, and how its configs are read."""

import copy
import inspect
from functools import partial

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS

from mmtmix.utils import load_config
from tests.test_experiments.reading import EXPERIMENTS, ROOT

DATASETS = ('flowers102', 'flowers102_818', 'pets', 'cars', 'aircraft')
ABLATIONS = dict(
    softmax_cam=('none', 'softmax_cam'),
    stn_only=('stn', 'softmax_cam'),
    mask_only=('none', 'network'),
)

PUZZLE = ['simple', 'mixup', 'manifold_mixup', 'cutmix', 'augmix', 'puzzlemix']
CLASSIC = ['simple', 'mixup', 'manifold_mixup', 'cutmix']
MOVED = ['transformmix_transfer', 'transformmix']
FINE = ['simple', 'mixup', 'cutmix', 'saliencymix', 'puzzlemix', 'transformmix']
TEN = ['simple', 'mixup', 'cutmix', 'transformmix']
PARTS = ['simple', 'mixup', 'softmax_cam', 'stn_only', 'mask_only', 'transformmix']
NINE = ['saliencymix', 'fmix', 'puzzlemix', 'comixup', 'resizemix', 'automix', 'transformmix']
TRAINED = ['teacher', 'student', 'mixup', 'method']
CELLS = {
    '2/wrn28x10_cifar100': [*PUZZLE, 'supermix', 'transformmix'],
    '2/preactresnet18_cifar100': [*PUZZLE, 'transformmix'],
    '2/preactresnet18_tinyimagenet': [*PUZZLE, 'transformmix'],
    '2/resnet50_imagenet': [*PUZZLE, 'supermix', 'transformmix'],
    '3/resnet50_flowers': FINE,
    '3/resnet50_pets': FINE,
    '3/resnet50_cars': FINE,
    '3/resnet50_aircraft': FINE,
    '4/resnet18_cifar10': PARTS,
    '4/wrn28x10_cifar100': PARTS,
    '5/time': ['puzzlemix', 'supermix', 'transformmix'],
    '6/resnet18_cifar10': TEN,
    '6/wrn28x10_cifar10': TEN,
    '7/preactresnet18_tinyimagenet': [*TEN[:3], 'comixup', 'transformmix_k2', 'transformmix_k3'],
    '8/wrn28x10_cifar100': [*CLASSIC, *MOVED],
    '8/preactresnet18_tinyimagenet': [*CLASSIC, *MOVED],
    '9/resnet18_tinyimagenet': [*CLASSIC, *NINE],
    '10/supermix_paper': TRAINED,
    '10/transformmix_paper': TRAINED,
    'figure_7/mask_layers': ['2', '3', '4'],
    'figure_7/mask_channels': ['8', '16', '32', '64'],
    'figure_7/mask_kernel': ['3', '5', '7'],
    'figure_7/alpha': ['0.2', '0.5', '1', '2', '3', '4'],
}
RUNS = [
    pytest.param(row, cell, id=f'{row}/{cell}')
    for row, cells in CELLS.items()
    for cell in cells
    if row != '5/time'
]

# what recipes.md has: backbone, classes, data set, epochs, lr, milestones (or the last lr of a
# cosine), batch, Nesterov. Weight decay is 1e-4 in all.
NETS = dict(
    wrn28_cifar100=('WideResNet', 100, 'CIFAR100', 400, 0.1, [200, 300], 100, True),
    preactresnet18_cifar100=('PreActResNet', 100, 'CIFAR100', 1200, 0.1, [400, 800], 100, True),
    preactresnet18_tinyimagenet=(
        'PreActResNet',
        200,
        'TinyImageNet',
        1200,
        0.2,
        [600, 900],
        100,
        True,
    ),
    resnet18_cifar10=('ResNet_CIFAR', 10, 'CIFAR10', 400, 0.1, [200, 300], 100, True),
    wrn28_cifar10=('WideResNet', 10, 'CIFAR10', 400, 0.1, [200, 300], 100, True),
    resnet18_cifar100=('ResNet_CIFAR', 100, 'CIFAR100', 200, 0.1, [100, 150], 100, True),
    resnet18_tinyimagenet=('ResNet_CIFAR', 200, 'TinyImageNet', 400, 0.2, 0.0, 100, False),
    resnet50_transfer=('ResNet', 102, 'Flowers102', 100, 1e-3, 0.0, 64, False),
    resnet50_imagenet_phase1=('ResNet', 1000, 'ImageNet', 15, 1.0, None, 1024, False),
    resnet50_imagenet=('ResNet', 1000, 'ImageNet', 85, 0.2, None, 448, False),
    resnet50_imagenet_torchvision=('ResNet', 1000, 'ImageNet', 90, 0.1, [30, 60], 256, False),
)
METHODS = [
    'simple',
    'mixup',
    'cutmix',
    'manifold_mixup',
    'augmix',
    'resizemix',
    'saliencymix',
    'fmix',
    'puzzlemix',
    'comixup',
    'automix',
    'transformmix',
]


def mine():
    """The configs of these networks, without searches."""
    found = []
    for method in METHODS:
        for path in sorted((ROOT / 'configs' / method).glob('*.py')):
            net = path.stem.removeprefix('ablation_').removesuffix('_k3')
            if net in NETS and not path.stem.startswith('search_'):
                found.append((f'configs/{method}/{path.name}', net))
    return found


TASKS = mine()
SEARCHES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / 'configs' / 'transformmix').glob('search_*.py')
    # images of our own are no experiment of the paper
    if not any(ours in path.stem for ours in ('fashionmnist', 'glyphs', 'wrn40_2_cifar100'))
)
ALL = [*(config for config, _ in TASKS), *SEARCHES]
ALPHAS = {  # of each table's recipe; the others are ours
    'wrn28_cifar100': (1.0, 2.0),
    'preactresnet18_cifar100': (1.0, 2.0),
    'preactresnet18_tinyimagenet': (0.2, 0.2),
}


def entry(row, cell):
    return EXPERIMENTS[f'transformmix/{row}']['cells'][cell]


def load_cell(row, cell):
    found = entry(row, cell)
    cfg = load_config(found['config'], found.get('options'), found.get('variants'))
    return cfg, found['config']


def augment_of(cfg):
    return (cfg.model.get('train_cfg') or {}).get('augments')


def build(part, registry=MODELS):
    """Build without memory for weights."""
    with pytest.MonkeyPatch.context() as patch:
        # MMPretrain's ResNet reads numbers from it
        patch.setattr(torch, 'linspace', partial(torch.linspace, device='cpu'))
        with DefaultScope.overwrite_default_scope('mmpretrain'), torch.device('meta'):
            return registry.build(copy.deepcopy(part))


def check_keys(cls, args):
    """No key that a class doesn't take."""
    names = inspect.signature(cls.__init__).parameters
    assert any(p.kind is p.VAR_KEYWORD for p in names.values()) or set(args) - {'type'} <= set(
        names
    )
