"""The networks and methods of SuperMix's Table 1, and its configs."""

CLEAN = {'CIFAR-100': 50_000, 'ImageNet': 1_281_167}
MIXED = {'CIFAR-100': 500_000, 'ImageNet': 1_000_000}

# name: row of Table 1, as its head says it, data set, millions of parameters, suffix of the files
# of methods that TransformMix's tables have for the same network, with another recipe
NETS = {
    'wrn40_2_cifar100': ('wrn40x2_cifar100', 'WRN-40-2', 'CIFAR-100', 2.255156, ''),
    'wrn28_10_cifar100': ('wrn28x10_cifar100', 'WRN-28-10', 'CIFAR-100', 36.536884, '_supermix'),
    'shakeshake26_2x96d_cifar100': (
        'shakeshake26x2x96d_cifar100',
        'Shake-Shake 26 2x96d',
        'CIFAR-100',
        26.2,
        '',
    ),
    'resnet50_imagenet': ('resnet50_imagenet', 'ResNet-50', 'ImageNet', 25.557032, '_supermix'),
    'resnet200_imagenet': ('resnet200_imagenet', 'ResNet-200', 'ImageNet', 64.7, ''),
}
SHARED = ('simple', 'mixup', 'cutmix')
OWN = ('autoaugment', 'randaugment', 'supermix', 'supermix_randaugment')
COLUMNS = dict(
    simple='Base.',
    autoaugment='AA',
    randaugment='RA',
    mixup='MixUp',
    cutmix='CutMix',
    supermix='SuperMix',
    supermix_randaugment='SuperMix + RA',
)
CELLS = [(method, net) for net in NETS for method in (*SHARED, *OWN)]
MIXING = [(method, net) for method, net in CELLS if method.startswith('supermix')]


def config_of(method, net):
    return f'configs/{method}/{net}{NETS[net][-1] if method in SHARED else ""}.py'


def set_of(net):
    return f'configs/supermix/generate_{net}_self.py'


FILES = [config_of(*cell) for cell in CELLS] + [set_of(net) for net in NETS]


def clean_and_mixed(cfg):
    dataset = cfg.train_dataloader.dataset
    return dataset.datasets if dataset.type == 'ConcatDataset' else (dataset, None)
