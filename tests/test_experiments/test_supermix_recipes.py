"""SuperMix's Table 1: networks, recipes and stages."""

import math
import os

import pytest
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS

from mmtmix.apps.generate import read_settings
from mmtmix.engine.stages import plan_stages
from mmtmix.functional import SUPERMIX_PAPER
from mmtmix.models.augments import augment_config
from mmtmix.utils import default_work_dir, load_config
from tests.test_experiments.reading import bases_of, load
from tests.test_experiments.supermix import (
    CELLS,
    CLEAN,
    FILES,
    MIXED,
    MIXING,
    NETS,
    OWN,
    SHARED,
    clean_and_mixed,
    config_of,
    set_of,
)


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
def test_networks_and_data_sets_are_those_of_the_table(net):
    _, _, data, millions, _ = NETS[net]
    classes = dict(zip(CLEAN, (100, 1000), strict=True))[data]
    base = load_config(f'configs/_base_/models/{net}.py').model.to_dict()
    for method in (*SHARED, *OWN):
        cfg = load(config_of(method, net))
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
def test_recipes_are_those_of_the_clean_run_at_as_many_iterations(method, net):
    cfg = load(config_of(method, net))
    epochs, milestones, batch, optimizer = recipe_of(net)
    assert cfg.optim_wrapper.optimizer == optimizer
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == batch
    if not method.startswith('supermix'):
        ends = [*(milestones or []), epochs]
    else:
        data = NETS[net][2]
        images = CLEAN[data] + MIXED[data]
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
    simple = load(config_of('simple', net))
    for field in ('optim_wrapper', 'val_dataloader', 'data_preprocessor', 'randomness'):
        assert cfg[field] == simple[field], field


def test_epochs_with_mixed_images_are_these():
    found = {net: load(config_of('supermix', net)).train_cfg.max_epochs for net in NETS}
    assert found == dict(zip(NETS, (55, 55, 164, 152, 152), strict=True))
    milestones = [
        load(config_of('supermix', net)).param_scheduler.milestones
        for net in ('wrn28_10_cifar100', 'resnet50_imagenet')
    ]
    assert milestones == [[18, 27, 36, 45], [51, 101, 135]]


@pytest.mark.parametrize(('method', 'net'), CELLS)
def test_batches_are_mixed_by_mixup_and_cutmix_alone(method, net):
    train_cfg = load(config_of(method, net)).model.get('train_cfg')
    cifar = NETS[net][2] == 'CIFAR-100'
    if method == 'mixup':
        assert train_cfg == dict(augments=dict(type='Mixup', alpha=1.0 if cifar else 0.2))
    elif method == 'cutmix':
        share = dict(probs=0.5) if cifar else {}
        assert train_cfg == dict(augments=dict(type='CutMix', alpha=1.0), **share)
    else:
        assert train_cfg is None


@pytest.mark.parametrize(('method', 'net'), MIXING)
def test_three_stages_are_planned_and_their_folders_fit(method, net):
    config = config_of(method, net)
    stages = plan_stages(config, load(config))
    assert [stage.config for stage in stages] == [config_of('simple', net), set_of(net), config]
    teacher, mixed, _ = stages
    assert teacher.produces == f'{default_work_dir(teacher.config)}/last.pth'
    assert mixed.produces == f'{default_work_dir(mixed.config)}/dataset.json'
    _, dataset = clean_and_mixed(load(config))
    assert dataset.type == 'MixedImages'
    assert dataset.data_root == os.path.dirname(mixed.produces)
    assert dataset.get('labels', 'hard_teacher') == 'hard_teacher'


def test_no_other_cell_requires_anything():
    for cell in CELLS:
        if cell not in MIXING:
            assert 'requires' not in load(config_of(*cell))


@pytest.mark.parametrize('net', NETS)
def test_sets_are_mixed_by_the_clean_network_with_the_papers_settings(net):
    cfg = load(set_of(net))
    settings, options = read_settings(cfg)
    assert settings.num == MIXED[NETS[net][2]]
    assert (settings.keep, settings.flip_prob, settings.seed) == ('finished', 0.5, 0)
    assert options == dict(pipeline=None, teacher=None)  # the pipeline of validation: no crops
    simple = config_of('simple', net)
    teacher = dict(config=simple, checkpoint=f'{default_work_dir(simple)}/last.pth')
    # one step before the check, as in the code that the figures come from
    wanted = dict(type='SuperMix', teacher=teacher, num_mix=2, min_iters=1, **SUPERMIX_PAPER)
    if NETS[net][2] == 'ImageNet':
        wanted.update(num_mix=3, mask_size=16, sigma=2.0, max_unfinished_ratio=0.5)
    assert augment_config(cfg) == wanted
    assert cfg.requires == [dict(config=simple, produces=teacher['checkpoint'])]
    assert cfg.train_dataloader == load(simple).train_dataloader


@pytest.mark.parametrize('config', FILES)
def test_a_config_inherits_from_one_other_method_at_most(config):
    def depth(path):
        """Files of methods on the longest way down, this one included."""
        return 1 + max((depth(base) for base in bases_of(path) if '_base_' not in base), default=0)

    assert depth(config) <= 2
