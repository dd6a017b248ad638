"""Each config of TransformMix's paper has its recipe, and parts that can be built."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, DefaultScope
from mmpretrain.registry import BATCH_AUGMENTS, HOOKS, TRANSFORMS

from mmtmix.utils import default_work_dir, load_config
from tests.test_experiments.reading import bases_of, load
from tests.test_experiments.transformmix import (
    ALL,
    ALPHAS,
    DATASETS,
    FINE,
    NETS,
    TASKS,
    augment_of,
    build,
    check_keys,
)


@pytest.mark.parametrize(('config', 'net'), TASKS)
def test_recipe(config, net):
    cfg = load(config)
    backbone, classes, dataset, epochs, lr, decay, batch, nesterov = NETS[net]
    assert cfg.model.backbone.type == backbone
    assert cfg.model.head.num_classes == cfg.data_preprocessor.num_classes == classes
    assert cfg.train_dataloader.dataset.type == dataset == cfg.val_dataloader.dataset.type
    assert cfg.test_dataloader == cfg.val_dataloader
    assert cfg.train_cfg == dict(by_epoch=True, max_epochs=epochs, val_interval=1)
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == batch
    optimizer = dict(type='SGD', lr=lr, momentum=0.9, weight_decay=1e-4)
    assert cfg.optim_wrapper.optimizer == (
        dict(optimizer, nesterov=True) if nesterov else optimizer
    )
    schedule = cfg.param_scheduler
    if isinstance(decay, list):
        assert schedule == dict(type='MultiStepLR', by_epoch=True, milestones=decay, gamma=0.1)
    elif decay is not None:
        assert (schedule.type, schedule.T_max) == ('CosineAnnealingLR', epochs)
        if '/automix/' not in config:
            assert schedule.eta_min == decay


@pytest.mark.parametrize(('config', 'net'), TASKS)
def test_methods_of_a_network_differ_in_the_method_alone(config, net):
    cfg, simple = load(config), load(f'configs/simple/{net}.py')
    allowed = {'custom_hooks', 'requires', 'load_from', 'work_dir', 'setting', 'ablation'}
    allowed |= {'teacher', 'checkpoint', 'search', 'mixer', 'phase1', 'phase2', 'phase3'}
    allowed |= {'puzzle', 'saliency'}
    if '/augmix/' in config:
        allowed |= {'train_pipeline', 'train_dataloader'}
        pipeline = cfg.train_dataloader.dataset.pipeline
        assert [step.type for step in pipeline[-2:]] == ['AugMix', 'PackInputs']
        assert [*pipeline[:-2], pipeline[-1]] == simple.train_dataloader.dataset.pipeline
        cfg.train_dataloader.dataset.pipeline = simple.train_dataloader.dataset.pipeline
        assert cfg.train_dataloader == simple.train_dataloader
    if '/automix/' in config:
        allowed |= {'optim_wrapper', 'param_scheduler'}
    model = {name: value for name, value in cfg.model.items() if name in simple.model}
    assert {**model, 'type': 0} == {**simple.model, 'type': 0}
    for name in {*cfg.keys(), *simple.keys()} - allowed - {'model'}:
        assert cfg.get(name) == simple.get(name), name


@pytest.mark.parametrize('net', ALPHAS)
def test_alphas_of_the_blind_mixers(net):
    blind, manifold = ALPHAS[net]
    assert augment_of(load(f'configs/mixup/{net}.py')) == dict(type='Mixup', alpha=blind)
    assert augment_of(load(f'configs/cutmix/{net}.py')) == dict(type='CutMix', alpha=blind)
    assert load(f'configs/manifold_mixup/{net}.py').model.alpha == manifold


def lr_at(cfg, epochs, group=0):
    """The learning rate at the beginning of some epochs, of ten steps each."""
    model = torch.nn.ModuleDict(
        dict(mixing=torch.nn.ModuleDict(dict(mix_block=torch.nn.Linear(1, 1))))
    )
    model['fc'] = torch.nn.Linear(1, 1)
    wrapper = build_optim_wrapper(model, copy.deepcopy(cfg.optim_wrapper))
    schedules = cfg.param_scheduler
    steps = 10
    built = []
    for schedule in schedules if isinstance(schedules, list) else [schedules]:
        schedule = dict(schedule)
        cls = PARAM_SCHEDULERS.get(schedule.pop('type'))
        schedule.pop('convert_to_iter_based')
        built.append(cls.build_iter_from_epoch(wrapper.optimizer, **schedule, epoch_length=steps))
    seen = []
    for _ in range(cfg.train_cfg.max_epochs * steps):
        seen.append(wrapper.optimizer.param_groups[group]['lr'])
        for scheduler in built:
            scheduler.step()
    return [seen[min(round(epoch * steps), len(seen) - 1)] for epoch in epochs]


@pytest.mark.parametrize(
    ('config', 'points'),
    [
        ('resnet50_imagenet_phase1', {0: 0.5, 4: 0.75, 8: 1.0, 11.5: 0.5625, 15: 0.125}),
        (
            'resnet50_imagenet',
            {0: 0.2, 12.5: 0.11, 25: 0.02, 37.5: 0.011, 50: 2e-3, 75: 2e-4, 85: 2e-5},
        ),
        ('resnet18_tinyimagenet', {0: 0.2, 200: 0.1, 400: 0.0}),
        ('resnet50_transfer', {0: 1e-3, 50: 5e-4, 100: 0.0}),
    ],
)
def test_learning_rates(config, points):
    got = lr_at(load(f'configs/simple/{config}.py'), points)
    assert got == pytest.approx(list(points.values()), rel=0.03, abs=1e-6)


def test_learning_rates_of_automix():
    cfg = load('configs/automix/resnet18_tinyimagenet.py')
    assert lr_at(cfg, (0, 400), group=2) == pytest.approx([0.2, 0.05], rel=1e-3)
    assert lr_at(cfg, (0, 400), group=0) == pytest.approx([0.1, 0.025], rel=1e-3)


@pytest.mark.parametrize(
    ('config', 'net'), [task for task in TASKS if 'imagenet_phase1' in task[0]]
)
def test_the_second_run_on_imagenet_goes_on_from_the_first(config, net):
    phase1, rest = load(config), load(config.replace('_phase1', ''))
    produced = f'{default_work_dir(config)}/last.pth'
    assert rest.load_from == produced
    assert dict(config=config, produces=produced) in rest.requires
    assert phase1.train_cfg.max_epochs + rest.train_cfg.max_epochs == 100
    assert phase1.model == rest.model
    assert phase1.optim_wrapper.paramwise_cfg == dict(norm_decay_mult=0)
    # the last gamma of a block begins at 0, MMPretrain's default
    assert phase1.model.backbone.get('zero_init_residual', True)
    sizes = [cfg.train_dataloader.dataset.pipeline[2].scale for cfg in (phase1, rest)]
    assert sizes == [128, 224]


@pytest.mark.parametrize('name', DATASETS)
@pytest.mark.parametrize('method', FINE)
def test_fine_tuning_on_each_data_set(method, name):
    config = f'configs/{method}/resnet50_transfer.py'
    cfg = load_config(config, variants=dict(DATASET=name))
    data = load_config(f'configs/_base_/datasets/{name}_transfer.py')
    assert cfg.train_dataloader == data.train_dataloader
    assert cfg.val_dataloader == data.val_dataloader
    assert cfg.model.head.num_classes == data.data_preprocessor.num_classes
    assert cfg.model.backbone.init_cfg == dict(
        type='Pretrained', checkpoint='torchvision://resnet50'
    )


@pytest.mark.parametrize(('config', 'net'), TASKS)
def test_parts_can_be_built(config, net):
    cfg = load(config)
    augment = augment_of(cfg)
    kind = dict(mixup='Mixup', cutmix='CutMix', resizemix='ResizeMix', saliencymix='SaliencyMix')
    kind |= dict(
        fmix='FMix', puzzlemix='PuzzleMix', comixup='CoMixup', transformmix='TransformMix'
    )
    method = Path(config).parent.name
    assert (augment['type'] if augment else None) == kind.get(method)
    hooks = cfg.get('custom_hooks', [])
    if augment:
        check_keys(BATCH_AUGMENTS.get(augment['type']), augment)
        if method != 'transformmix':
            built = build(augment, BATCH_AUGMENTS)
            assert ('LiveModelHook' in [hook.type for hook in hooks]) == (
                type(getattr(built, 'saliency', None)).__name__ == 'InputGradient'
            )
    types = dict(
        manifold_mixup='ManifoldMixup', augmix='AugMixClassifier', automix='AutoMixClassifier'
    )
    assert cfg.model.type == types.get(method, 'ImageClassifier')
    cfg.model.pop('train_cfg', None)
    model = dict(cfg.model, data_preprocessor=dict(cfg.data_preprocessor))
    build(model)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        for hook in hooks:
            HOOKS.build(hook)
        for step in cfg.train_dataloader.dataset.pipeline:
            TRANSFORMS.build(step)


# what the public commands and configs say: beta, neigh_size, t_size, blocks, clean_lam
PUZZLES = dict(
    wrn28_cifar100=(1.2, 4, 4, {2, 4, 8, 16}, 0),
    preactresnet18_cifar100=(1.2, 4, 4, {2, 4, 8, 16}, 0),
    preactresnet18_tinyimagenet=(1.2, 4, -1, {2, 4, 8, 16}, 1),
    # "the optimal hyperparameters for Tiny-ImageNet"
    resnet50_transfer=(1.2, 4, -1, {2, 4, 8, 16}, 1),
    # OpenMixup's
    resnet18_tinyimagenet=(1.2, 4, -1, {2, 4, 8}, 0),
    resnet50_imagenet_phase1=(1.5, 2, -1, {2, 4, 8, 16}, 1),
    resnet50_imagenet=(1.5, 2, -1, {2, 4, 8, 16}, 1),
)


def puzzle_settings(augment):
    """The settings that data sets differ in, after those that are the same everywhere."""
    built = build(augment, BATCH_AUGMENTS)
    assert (built.alpha, built.transport, built.t_eps) == (1, True, 0.8)
    terms = dict(built.terms)
    beta = terms.pop('beta')
    assert terms == dict(gamma=0.5, eta=0.2, num_labels=3)
    blocks = augment.get('block_num') or (2, 4, 8, 16)
    return beta, built.neigh_size, built.t_size, set(blocks), built.saliency.clean_lam


def test_every_puzzle_mix_of_the_tables_is_listed():
    found = {net for config, net in TASKS if '/puzzlemix/' in config}
    assert found == set(PUZZLES)


@pytest.mark.parametrize('net', PUZZLES)
def test_puzzle_mix_is_the_publics(net):
    cfg = load(f'configs/puzzlemix/{net}.py')
    assert puzzle_settings(augment_of(cfg)) == PUZZLES[net]


def test_puzzle_mix_changes_its_phase_as_the_publics_does():
    cfg = load('configs/puzzlemix/resnet50_imagenet.py')
    # phase 3 begins at epoch 40 of 100, the 26th of this run
    ((switch,),) = (hook.schedule for hook in cfg.custom_hooks if hook.type == 'SwitchRecipeHook')
    later = switch.batch_augments.augments
    assert switch.action_epoch == 26
    assert {**later, 'saliency': 0} == {**augment_of(cfg), 'saliency': 0}
    assert puzzle_settings(later) == (1.5, 2, -1, {2, 4, 8, 16}, 0)


@pytest.mark.parametrize(
    ('config', 'least'), [('resnet50_imagenet_phase1', 0.08), ('resnet50_imagenet', 0.087)]
)
def test_the_least_crop_of_each_phase_is_the_publics(config, least):
    (crop,) = (
        step
        for step in load(f'configs/simple/{config}.py').train_dataloader.dataset.pipeline
        if step.type == 'RandomResizedCrop'
    )
    assert tuple(crop.crop_ratio_range) == (least, 1.0)


def test_the_mix_block_on_tiny_imagenet_has_no_channel_for_shares():
    block = build(load('configs/automix/resnet18_tinyimagenet.py').model.mix_block)
    assert (block.embed.in_channels, block.embed.out_channels) == (256, 128)
    assert (block.value.in_channels, block.value.out_channels) == (256, 1)
    assert block.upsampling == 'nearest'


@pytest.mark.parametrize('config', ALL)
def test_at_most_two_levels_of_inheritance(config):
    for base in bases_of(config):
        if '_base_' not in base:
            assert all('_base_' in other for other in bases_of(base))
