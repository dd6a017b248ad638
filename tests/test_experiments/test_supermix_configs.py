"""SuperMix's Table 1 and Figure 5: configs, recipes, and the list of all its experiments."""

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from mmcv.transforms import Compose
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS, TRANSFORMS
from torchvision.transforms import AutoAugment as TorchVisionAutoAugment
from torchvision.transforms import AutoAugmentPolicy

from mmtmix.engine.launch import default_work_dir
from mmtmix.engine.stages import plan_stages
from mmtmix.generation import read_settings
from mmtmix.models.batch_augments import mixer_config
from mmtmix.utils import load_config

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = ROOT / 'configs/experiments.yaml'
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

# The tables' shapes, independently of the file under test
TABLE_2 = (
    'wrn40x2_wrn16x2',
    'wrn40x2_wrn40x1',
    'resnet56_resnet20',
    'resnet110_resnet20',
    'resnet110_resnet32',
    'resnet32x4_resnet8x4',
    'vgg13_vgg8',
)
TABLE_3 = (
    'vgg13_mobilenetv2',
    'resnet50_mobilenetv2',
    'resnet50_vgg8',
    'resnet32x4_shufflenetv1',
    'resnet32x4_shufflenetv2',
    'wrn40x2_shufflenetv1',
)
ALONE = ('teacher', 'student', 'kd', 'crd')
SOURCES = ('imgnet32', 'mixup', 'cutmix', 'supermix')
IMAGENET = ('mixup_k2', 'cutmix_k2', 'supermix_k2', 'supermix_k3')
TIMES = dict(imagenet_vgg16='s', imagenet_resnet34='s', cifar_vgg13='ms', cifar_wrn='ms')
SOLVERS = ('sgd', 'newton_no_sp', 'newton_sp')
SWEEPS = dict(
    augmentation_size=(50000, 100000, 200000, 500000, 1000000),
    k=(2, 3, 4),
    alpha=(0.1, 1, 3, 10),
    lambda_s=(0, 5, 10, 25, 30, 50, 100),
)


def expected_ids():
    for row, *_ in NETS.values():
        yield from (f'supermix/1/{row}/{cell}' for cell in (*COLUMNS, 'fast_autoaugment'))
    with_sources = [f'{loss}_{source}' for loss in ('ce', 'kd') for source in SOURCES]
    for table, rows in (('2', TABLE_2), ('3', TABLE_3)):
        for row in rows:
            yield from (f'supermix/{table}/{row}/{cell}' for cell in (*ALONE, *with_sources))
    for row, unit in TIMES.items():
        yield from (f'supermix/4/{row}/{name}_{of}' for name in SOLVERS for of in (unit, 'iters'))
    on_imagenet = [f'{loss}_{source}' for loss in ('ce', 'kd') for source in IMAGENET]
    for cell in (*ALONE, *on_imagenet):
        yield f'supermix/5/resnet34_resnet18/{cell}'
    for name, values in SWEEPS.items():
        yield from (f'supermix/figure_5/sweeps/{name}_{value}' for value in values)


@pytest.fixture(scope='module')
def configs():
    """Each config, read once."""
    return {config: load_config(config) for config in FILES}


@pytest.fixture(scope='module')
def experiments():
    rows = yaml.safe_load(EXPERIMENTS.read_text())
    return {name: row for name, row in rows.items() if name.startswith('supermix/')}


def cells_of(experiments):
    for row, content in experiments.items():
        for name, cell in content['cells'].items():
            yield f'{row}/{name}', cell


def clean_and_mixed(cfg):
    dataset = cfg.train_dataloader.dataset
    return dataset.datasets if dataset.type == 'ConcatDataset' else (dataset, None)


def recipe_of(net):
    """Epochs, their milestones (None: a cosine), batch size and optimizer on clean images."""
    sgd = dict(type='SGD', lr=0.1, momentum=0.9)
    if net.startswith('shakeshake'):
        optimizer = dict(sgd, lr=0.01, weight_decay=2.5e-3, nesterov=True)
        return 1800, None, 128, optimizer
    if net.endswith('cifar100'):
        return 600, [200, 300, 400, 500], 128, dict(sgd, weight_decay=5e-4)
    return 270, [90, 180, 240], 256, dict(sgd, weight_decay=1e-4)


@pytest.mark.parametrize('net', NETS)
def test_networks_and_data_sets_are_those_of_the_table(net, configs):
    _, _, data, millions, _ = NETS[net]
    classes = dict(zip(CLEAN, (100, 1000), strict=True))[data]
    base = load_config(f'configs/_base_/models/{net}.py').model.to_dict()
    for method in (*SHARED, *OWN):
        cfg = configs[config_of(method, net)]
        model = cfg.model.to_dict()
        model.pop('train_cfg', None)
        assert model == base
        assert cfg.model.head.num_classes == cfg.data_preprocessor.num_classes == classes
        dataset, mixed = clean_and_mixed(cfg)
        assert (dataset.type, dataset.split) == (data.replace('-', ''), 'train')
        assert (mixed is not None) == method.startswith('supermix')
        assert cfg.val_dataloader.dataset.split == ('test' if data == 'CIFAR-100' else 'val')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        built = MODELS.build(dict(base))
    parameters = sum(weight.numel() for weight in built.parameters())
    assert parameters / 1e6 == pytest.approx(millions, abs=0.05 if millions in (26.2, 64.7) else 0)


@pytest.mark.parametrize(('method', 'net'), CELLS)
def test_recipes_are_those_of_the_clean_run_at_as_many_iterations(method, net, configs):
    cfg = configs[config_of(method, net)]
    epochs, milestones, batch, optimizer = recipe_of(net)
    assert cfg.optim_wrapper.optimizer == optimizer
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == batch
    if not method.startswith('supermix'):
        ends = [*(milestones or []), epochs]
    else:
        data = NETS[net][2]
        images = CLEAN[data] + MIXED[data]
        assert (cfg.num_clean, cfg.num_mixed) == (CLEAN[data], MIXED[data])
        ends = [round(end * CLEAN[data] / images) for end in [*(milestones or []), epochs]]
        # whole epochs, so up to half of one more or less
        per_epoch = math.ceil(images / batch)
        wanted = epochs * math.ceil(CLEAN[data] / batch)
        assert abs(cfg.train_cfg.max_epochs * per_epoch - wanted) <= per_epoch / 2
    assert cfg.train_cfg == dict(by_epoch=True, max_epochs=ends[-1], val_interval=1)
    schedule = dict(type='MultiStepLR', by_epoch=True, milestones=ends[:-1], gamma=0.1)
    if milestones is None:
        schedule = dict(
            type='CosineAnnealingLR',
            T_max=ends[-1],
            eta_min=0,
            by_epoch=True,
            convert_to_iter_based=True,
        )
    assert cfg.param_scheduler == schedule
    simple = configs[config_of('simple', net)]
    for field in ('optim_wrapper', 'val_dataloader', 'data_preprocessor', 'randomness'):
        assert cfg[field] == simple[field], field


def test_epochs_with_mixed_images_are_these(configs):
    found = {net: configs[config_of('supermix', net)].train_cfg.max_epochs for net in NETS}
    assert found == dict(zip(NETS, (55, 55, 164, 152, 152), strict=True))
    milestones = [
        configs[config_of('supermix', net)].param_scheduler.milestones
        for net in ('wrn28_10_cifar100', 'resnet50_imagenet')
    ]
    assert milestones == [[18, 27, 36, 45], [51, 101, 135]]


@pytest.mark.parametrize(('method', 'net'), CELLS)
def test_batches_are_mixed_by_mixup_and_cutmix_alone(method, net, configs):
    train_cfg = configs[config_of(method, net)].model.get('train_cfg')
    cifar = NETS[net][2] == 'CIFAR-100'
    if method == 'mixup':
        assert train_cfg == dict(augments=dict(type='Mixup', alpha=1.0 if cifar else 0.2))
    elif method == 'cutmix':
        share = dict(probs=0.5) if cifar else {}
        assert train_cfg == dict(augments=dict(type='CutMix', alpha=1.0), **share)
    else:
        assert train_cfg is None


@pytest.mark.parametrize(('method', 'net'), MIXING)
def test_three_stages_are_planned_and_their_folders_fit(method, net, configs):
    config = config_of(method, net)
    stages = plan_stages(config, configs[config])
    assert [stage.config for stage in stages] == [config_of('simple', net), set_of(net), config]
    teacher, mixed, _ = stages
    assert teacher.produces == f'{default_work_dir(teacher.config)}/last.pth'
    assert mixed.produces == f'{default_work_dir(mixed.config)}/dataset.json'
    _, dataset = clean_and_mixed(configs[config])
    assert dataset.type == 'MixedImages'
    assert dataset.data_root == os.path.dirname(mixed.produces)
    assert dataset.get('labels', 'winner') == 'winner'


def test_no_other_cell_requires_anything(configs):
    for cell in CELLS:
        if cell not in MIXING:
            assert 'requires' not in configs[config_of(*cell)]


@pytest.mark.parametrize('net', NETS)
def test_sets_are_mixed_by_the_clean_network_with_the_papers_settings(net, configs):
    cfg = configs[set_of(net)]
    settings, options = read_settings(cfg)
    assert settings.num == MIXED[NETS[net][2]]
    assert (settings.keep, settings.flip_prob, settings.seed) == ('finished', 0.5, 0)
    assert options == dict(pipeline=None, teacher=None)  # the pipeline of validation: no crops
    simple = config_of('simple', net)
    teacher = dict(config=simple, checkpoint=f'{default_work_dir(simple)}/last.pth')
    wanted = dict(type='SuperMix', teacher=teacher, num_mix=2)
    if NETS[net][2] == 'ImageNet':
        wanted.update(num_mix=3, mask_size=16, sigma=2.0, max_unfinished_ratio=0.5)
    assert mixer_config(cfg) == wanted
    assert cfg.requires == [dict(config=simple, produces=teacher['checkpoint'])]
    assert cfg.train_dataloader == configs[simple].train_dataloader


def run(pipeline, image):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        transform = Compose([TRANSFORMS.build(step) for step in pipeline])
    return transform(dict(img=image, gt_label=1, sample_idx=0))


def without_loading(pipeline):
    return [step for step in pipeline if 'LoadImageFromFile' not in step.type]


@pytest.mark.parametrize(('method', 'net'), CELLS)
def test_pipelines_are_those_of_the_method_and_build(method, net, configs):
    cifar = NETS[net][2] == 'CIFAR-100'
    clean, mixed = clean_and_mixed(configs[config_of(method, net)])
    steps = ['RandomCrop' if cifar else 'RandomResizedCrop', 'RandomFlip']
    if method.endswith('augment'):
        steps.append('AutoAugment' if method == 'autoaugment' else 'RandAugment')
        steps += ['Cutout'] * cifar
    loading = [] if cifar else ['CheckedLoadImageFromFile']
    assert [step.type for step in clean.pipeline] == [*loading, *steps, 'PackInputs']
    if mixed is not None:
        assert mixed.pipeline == without_loading(clean.pipeline)
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    packed = run(without_loading(clean.pipeline), image)
    side = 32 if cifar else 224
    assert packed['inputs'].shape == (3, side, side)
    assert packed['inputs'].dtype == torch.uint8


@pytest.mark.parametrize(
    ('method', 'net'), [cell for cell in CELLS if cell[0].endswith('randaugment')]
)
def test_rand_augment_is_the_published_one(method, net, configs):
    clean, _ = clean_and_mixed(configs[config_of(method, net)])
    (step,) = (step for step in clean.pipeline if step.type == 'RandAugment')
    strengths = dict(wrn40_2_cifar100=(1, 2), wrn28_10_cifar100=(2, 14))
    strengths['shakeshake26_2x96d_cifar100'] = (2, 14)
    assert (step.num_policies, step.magnitude_level) == strengths.get(net, (2, 9))
    assert len(step.policies) == 14
    assert [policy.prob for policy in step.policies] == [0] + [1] * 13
    size = 32 if net.endswith('cifar100') else 224
    image = np.random.default_rng(1).integers(0, 256, (size, size, 3), dtype=np.uint8)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        operations = TRANSFORMS.build(step).transforms
    changed = set()
    for number, operation in enumerate(operations):
        out = operation(dict(img=image.copy()))['img']
        assert (out.shape, out.dtype) == (image.shape, np.uint8)
        if (out != image).any():
            changed.add(number)
    # the first is the identity; an image of all values has its contrast, and level 14 of 10
    # solarizes nothing
    same = {0, 1} | ({4} if step.magnitude_level > 10 else set())
    assert changed == set(range(14)) - same


def test_rand_augments_enhancing_factors_are_its_authors(configs):
    """Their code has level / 10 * 1.8 + 0.1."""
    for net, factor in (('wrn40_2_cifar100', 0.46), ('wrn28_10_cifar100', 2.62)):
        step = configs[config_of('randaugment', net)].train_pipeline[2]
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            operations = TRANSFORMS.build(step).transforms
        enhancing = [op for op in operations if op.magnitude_range == (-0.9, 0.9)]
        assert len(enhancing) == 4
        for operation in enhancing:
            assert 1 + operation.random_negative(operation.random_magnitude()) == (
                pytest.approx(factor)
            )


def test_auto_augments_policy_for_cifar_is_the_published_one(configs):
    published = TorchVisionAutoAugment(AutoAugmentPolicy.CIFAR10)
    space = published._augmentation_space(10, (32, 32))
    pipeline = configs['configs/autoaugment/wrn28_10_cifar100.py'].train_pipeline
    policies = pipeline[2].policies
    assert len(policies) == len(published.policies) == 25
    fields = dict(Rotate='angle', Posterize='bits', Solarize='thr')
    directions = dict(X='horizontal', Y='vertical')
    for ours, theirs in zip(policies, published.policies, strict=True):
        for operation, (name, prob, level) in zip(ours, theirs, strict=True):
            assert operation.prob == prob
            kind = operation.type.replace('ColorTransform', 'Color')
            if name[-1] in directions:
                assert operation.direction == directions[name[-1]]
                name = name[:-1]
            assert kind == name
            if level is None:
                assert set(operation) == {'type', 'prob'}
                continue
            wanted = float(space[theirs[ours.index(operation)][0]][0][level])
            found = operation[fields.get(kind, 'magnitude')]
            if kind == 'Translate':
                found *= 32
            # thresholds of 255 there, of 256 in MMPretrain
            assert found == pytest.approx(wanted, abs=1.01 if kind == 'Solarize' else 1e-5)


@pytest.mark.parametrize('config', FILES)
def test_heads_say_what_is_reproduced(config, configs, experiments):
    net = Path(config).stem.removesuffix('_self').removesuffix('_supermix')
    net = net.removeprefix('generate_')
    row, name, data, *_ = NETS[net]
    head = (ROOT / config).read_text().split('_base_')[0]
    assert all(line.startswith('#') for line in head.strip().splitlines())
    head = ' '.join(line.removeprefix('#').strip() for line in head.splitlines())
    assert f'SuperMix Table 1{"" if "generate" in config else f", {data}, {name}"}' in head
    assert 'Ours' in head
    cells = experiments[f'supermix/1/{row}']['cells']
    methods = [Path(config).parent.name]
    if 'generate' in config:
        methods.append('supermix_randaugment')
    else:
        assert f'"{COLUMNS[methods[0]]}"' in head
        assert f'GPU{"" if data == "CIFAR-100" else "s"} x' in head
    for method in methods:
        printed = cells[method]['printed']
        both = ' / '.join(map(str, printed)) if isinstance(printed, list) else str(printed)
        assert f'{both} ' in head


@pytest.mark.parametrize('config', FILES)
def test_a_config_inherits_from_one_other_method_at_most(config):
    def outside(path):
        """Files of methods on the longest way down, this one included."""
        source = (ROOT / path).read_text()
        bases = source.split('_base_ =', 1)[1].lstrip()
        names = eval(bases[: bases.index(']') + 1] if bases[0] == '[' else bases.splitlines()[0])
        paths = [
            os.path.normpath(os.path.join(os.path.dirname(path), name))
            for name in ([names] if isinstance(names, str) else names)
        ]
        return 1 + max(0 if '_base_' in path else outside(path) for path in paths)

    assert outside(config) <= 2


def test_every_figure_of_the_paper_is_listed_once(experiments):
    found = [cell for cell, _ in cells_of(experiments)]
    assert len(found) == len(set(found)) == 40 + 84 + 72 + 24 + 12 + 19
    assert set(found) == set(expected_ids())


def test_cells_are_runs_of_existing_configs_or_quoted_with_a_reason(experiments):
    for name, cell in cells_of(experiments):
        assert 'printed' in cell
        assert (cell['printed'] is None) == name.startswith('supermix/figure_5/')
        if 'quoted' in cell:
            assert len(cell['quoted']) > 20
            assert set(cell) == {'printed', 'quoted'}
            continue
        assert set(cell) <= {'printed', 'config', 'env', 'options', 'before'}
        assert (ROOT / cell['config']).is_file(), name
        if 'env' in cell:
            pair = cell['env']['PAIR']
            assert (ROOT / f'configs/distill/pairs/{pair}.py').is_file(), name
    for row, content in experiments.items():
        runs = any('config' in cell for cell in content['cells'].values())
        assert content.get('checkpoint') == ('last' if runs else None), row


def test_only_times_and_fast_auto_augment_are_quoted(experiments):
    quoted = {name for name, cell in cells_of(experiments) if 'quoted' in cell}
    assert all(
        name.startswith('supermix/4/') or name.endswith('/fast_autoaugment') for name in quoted
    )
    assert len(quoted) == 24 + 5


def test_table_1_names_each_config_once(experiments):
    named = [
        cell['config']
        for name, cell in cells_of(experiments)
        if name.startswith('supermix/1/') and 'config' in cell
    ]
    assert sorted(named) == sorted(config_of(*cell) for cell in CELLS)


def test_distillation_is_told_by_method_and_pair(experiments):
    for name, cell in cells_of(experiments):
        _, table, row, method = name.split('/')
        if table not in '235':
            continue
        pair = row
        for of, ours in (('wrn40x', 'wrn40_'), ('wrn16x', 'wrn16_')):
            pair = pair.replace(of, ours)
        if method == 'teacher':
            config = load_config(f'configs/distill/pairs/{pair}.py').teacher.config
            assert cell['config'] == config
            continue
        pair += '_k3' * method.endswith('_k3')
        method = method.removesuffix('_k2').removesuffix('_k3')
        assert cell['config'] == f'configs/distill/{method}.py'
        assert cell['env'] == dict(PAIR=pair)


def folder_and_options(command):
    words = command.split()
    assert words[:3] == [
        'python',
        'tools/train.py',
        'configs/supermix/generate_wrn40_2_cifar100.py',
    ]
    assert (words[3], words[5]) == ('--work-dir', '--cfg-options')
    options = dict(word.split('=') for word in words[6:])
    return words[4], {name: yaml.safe_load(value) for name, value in options.items()}


def test_figure_5s_points_differ_in_one_setting_each(experiments, monkeypatch):
    monkeypatch.setenv('PAIR', 'wrn40_2_wrn16_2')
    sets = {}
    for name, cell in experiments['supermix/figure_5/sweeps']['cells'].items():
        sweep, value = name.rsplit('_', 1)
        wanted = dict(augmentation_size=500000, k=2, alpha=3, lambda_s=25)
        wanted[sweep] = yaml.safe_load(value)
        if sweep == 'augmentation_size':
            wanted['alpha'] = 1  # of section 4.3's first study alone
        cfg = load_config(cell['config'], cell.get('options'))
        (hook,) = cfg.custom_hooks
        dataset = hook.mixed.dataloader.dataset
        assert cfg.pair == 'wrn40_2_wrn16_2'
        if 'before' not in cell:
            assert wanted == dict(augmentation_size=500000, k=2, alpha=3, lambda_s=25)
            assert dataset.data_root == cfg.mixed_root
            assert 'options' not in cell
            continue
        (command,) = cell['before']
        folder, options = folder_and_options(command)
        made = load_config('configs/supermix/generate_wrn40_2_cifar100.py', options)
        mixer = mixer_config(made)
        assert dataset.data_root == folder
        assert cfg.requires == []  # a missing set is never made with other settings
        assert sets.setdefault(folder, options) == options
        assert mixer.num_mix == wanted['k']
        assert mixer.get('alpha', 3) == wanted['alpha']
        assert mixer.get('lambda_s', 25) == wanted['lambda_s']
        size = dataset.get('indices', read_settings(made)[0].num)
        assert size == wanted['augmentation_size'] <= read_settings(made)[0].num
        # nothing else is changed
        assert set(options) <= {
            'generation.num',
            'model.train_cfg.augments.num_mix',
            'model.train_cfg.augments.alpha',
            'model.train_cfg.augments.lambda_s',
        }
    assert len(sets) == 1 + 2 + 2 + 6
