"""Every config that comes with the library: it parses, fits its chain and can be built."""

import os
from pathlib import Path

import pytest
import torch
from mmengine.optim import CosineAnnealingLR
from mmengine.registry import DefaultScope
from mmpretrain.registry import DATASETS, MODELS

from mmtmix.apps.generate import read_settings
from mmtmix.datasets import FashionMNISTIdx
from mmtmix.datasets.mixed_shards import DATASET_FILE
from mmtmix.engine.stages import plan_stages
from mmtmix.models import MixerSearch, TransformMix, save_mixer
from mmtmix.models.augments import augment_config
from mmtmix.utils import default_work_dir, load_config

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in ROOT.glob('configs/**/*.py')
    # test_distill_configs.py has those of distill, and test_bed_configs.py those of glyphs
    if not {'_base_', 'distill', 'glyphs'} & set(path.relative_to(ROOT).parts)
)
# those of data sets to train on; the others are for students, in test_distill_configs.py
SETS = [
    config
    for config in CONFIGS
    if Path(config).name.startswith('generate_')
    and (ROOT / config.replace('generate_', 'offline_')).is_file()
]
# the papers' experiments are built in test_experiments, piece by piece: most are large
BUILT = [
    config
    for config in CONFIGS
    if 'fashionmnist' in config or 'glyphs' in config or 'wrn28_cifar100' in config
]
TRAINVAL = ('Flowers102', 'Flowers102Split818', 'OxfordIIITPet', 'FGVCAircraft')
OFFLINE = [config for config in CONFIGS if Path(config).name.startswith('offline_')]
MINI = [config for config in CONFIGS if Path(config).name == 'wrn16_fashionmnist_mini.py']
DEMO = [config for config in CONFIGS if Path(config).name == 'wrn10_fashionmnist_demo.py']
GLYPHS = [config for config in CONFIGS if Path(config).name == 'glyphs_demo.py']


def build(cfg):
    """Build a config's model as a Runner does."""
    model = dict(cfg.model)
    model.setdefault('data_preprocessor', cfg.data_preprocessor)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        return MODELS.build(model)


@pytest.fixture(scope='module')
def model_of(tmp_path_factory):
    """Build a config's model where untrained files stand for all that it requires."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp('products'))

        def make(config):
            *needed, own = plan_stages(config, load_config(config))
            for stage in needed:
                # a set of mixed images is no part of a model
                if not stage.is_finished and 'generation' not in stage.cfg:
                    os.makedirs(stage.cfg.work_dir)
                    model = build(stage.cfg)
                    if isinstance(model, MixerSearch):
                        save_mixer(model.mixer, stage.produces)
                    else:
                        torch.save(dict(state_dict=model.state_dict()), stage.produces)
            return build(own.cfg)

        yield make


@pytest.mark.parametrize('config', BUILT)
def test_model_builds_from_what_its_config_requires(config, model_of):
    cfg, model = load_config(config), model_of(config)
    for needed in cfg.get('requires', ()):
        folder, name = os.path.split(needed['produces'])
        if name == DATASET_FILE:
            assert f"'data_root': {folder!r}" in repr(cfg.train_dataloader.to_dict())
        else:
            assert repr(needed['produces']) in repr(cfg.model.to_dict())
    augments = (cfg.model.get('train_cfg') or {}).get('augments')
    if augments is not None:
        named = [each['type'] for each in (augments if isinstance(augments, list) else [augments])]
        if 'probs' in cfg.model.train_cfg:
            named.append('NoneType')  # MMPretrain's, for the batches that are left
        built = model.data_preprocessor.batch_augments.augments
        assert [type(augment).__name__ for augment in built] == named


def product_of(cfg):
    if 'generation' in cfg:
        return DATASET_FILE
    is_search = cfg.model.type == 'MixerSearch'
    return cfg.train_cfg.get('mixer_name', 'mixer.pth') if is_search else 'last.pth'


@pytest.mark.parametrize('config', CONFIGS)
def test_required_files_are_where_the_required_configs_write_them(config):
    for needed in load_config(config).get('requires', ()):
        folder, name = os.path.split(needed['produces'])
        cfg = load_config(needed['config'])
        assert folder == cfg.get('work_dir', default_work_dir(needed['config']))
        assert name == product_of(cfg)


@pytest.mark.parametrize('config', CONFIGS)
def test_training_fits_the_model(config):
    cfg = load_config(config)
    is_search = cfg.model.type == 'MixerSearch'
    assert (cfg.train_cfg.get('type') == 'MixerSearchLoop') == is_search
    # MMEngine refuses a by_epoch beside a type
    assert 'by_epoch' not in cfg.train_cfg if is_search else cfg.train_cfg.by_epoch
    assert (cfg.val_evaluator.type == 'MixQuality') == is_search
    assert cfg.randomness.seed is not None
    assert not cfg.train_dataloader.get('persistent_workers', False)
    if cfg.train_dataloader.num_workers:
        assert cfg.train_dataloader.worker_init_fn.type == 'seed_worker'


@pytest.mark.parametrize('config', CONFIGS)
def test_splits_are_the_right_ones(config):
    cfg = load_config(config)
    for name, count in (('train', 5000), ('val', 2000)):
        dataset_cfg = cfg[f'{name}_dataloader'].dataset
        if dataset_cfg.type == 'ResidentDataset':
            dataset_cfg = dataset_cfg.dataset
        if dataset_cfg.type == 'ConcatDataset':
            dataset_cfg, mixed = dataset_cfg.datasets
            assert mixed.type == 'MixedImages'
            # its images are loaded, and have soft labels where they are wanted
            assert mixed.pipeline == [
                step
                for step in dataset_cfg.pipeline
                if 'LoadImageFromFile' not in step.type and step.type != 'OneHotScore'
            ]
        # the test images of both have no labels
        held_out = 'val' if dataset_cfg.type in ('ImageNet', 'TinyImageNet', 'Glyphs') else 'test'
        if name == 'val' and dataset_cfg.get('indices', 0) < 0:
            held_out = 'train'  # the last of its images, which no training uses
        training = 'trainval' if dataset_cfg.type in TRAINVAL else 'train'
        assert dataset_cfg.split == (training if name == 'train' else held_out)
        # the others' files need not be on this machine
        if dataset_cfg.type == 'FashionMNISTIdx' and 'data_root' not in dataset_cfg:
            with DefaultScope.overwrite_default_scope(cfg.default_scope):
                dataset = DATASETS.build(dataset_cfg | dict(serialize_data=False))
            assert isinstance(dataset, FashionMNISTIdx)
            assert len(dataset) == dataset_cfg.get('indices', count)
            # AugMix gives several views; a network of ImageNet reads larger images in colour
            side = cfg.get('side', 28)
            assert dataset[0]['inputs'].shape[-3:] == (1 if side == 28 else 3, side, side)
    if cfg.val_dataloader.dataset.type == 'Glyphs':  # which has an own style to choose by
        assert cfg.test_dataloader.dataset.split == 'test'
    else:
        assert cfg.test_dataloader == cfg.val_dataloader
    assert cfg.test_evaluator == cfg.val_evaluator


def test_small_configs_are_of_all_methods():
    methods = {Path(config).parent.name for config in MINI}
    assert methods >= {'simple', 'mixup', 'cutmix', 'supermix', 'transformmix'}
    assert methods >= {'manifold_mixup', 'automix', 'augmix'}
    assert {Path(config).parent.name for config in DEMO} == {
        *('simple', 'mixup', 'cutmix', 'transformmix')
    }


@pytest.mark.parametrize('configs', [MINI, DEMO, GLYPHS], ids=['mini', 'demo', 'glyphs'])
def test_small_methods_differ_in_the_mix_alone(configs):
    own = ('requires', 'teacher', 'checkpoint', 'search', 'mixer', 'custom_hooks')
    recipes = []
    for config in configs:
        cfg = load_config(config).to_dict()
        # some classifiers mix or augment themselves
        cfg['model'] = {part: cfg['model'][part] for part in ('backbone', 'neck', 'head')}
        for pipeline in (cfg['train_pipeline'], cfg['train_dataloader']['dataset']['pipeline']):
            pipeline[:] = [step for step in pipeline if step['type'] != 'AugMix']
        recipes.append({name: value for name, value in cfg.items() if name not in own})
    assert all(recipe == recipes[0] for recipe in recipes)


@pytest.mark.parametrize('config', SETS)
def test_a_set_is_mixed_as_online_from_the_same_images(config):
    cfg = load_config(config)
    settings, _ = read_settings(cfg)
    assert settings.keep == 'finished'
    online = load_config(config.replace('generate_', ''))
    assert augment_config(cfg) == augment_config(online)
    assert cfg.train_dataloader == online.train_dataloader


# test_grid_configs.py has that of the grid
@pytest.mark.parametrize('config', [config for config in OFFLINE if 'grid' not in config])
def test_offline_training_is_as_long_as_clean_training_and_else_the_same(config):
    cfg = load_config(config)
    clean = load_config(f'configs/simple/{Path(config).name.removeprefix("offline_")}')
    (needed,) = cfg.requires
    mixed = load_config(needed.config).generation.num
    dataset, _ = cfg.train_dataloader.dataset.datasets
    assert dataset == clean.train_dataloader.dataset
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        num_clean = len(DATASETS.build(dataset))
    # whole epochs, so up to half of one more or less
    images = num_clean + mixed
    assert abs(cfg.train_cfg.max_epochs * images - clean.train_cfg.max_epochs * num_clean) <= (
        images / 2
    )
    assert cfg.param_scheduler.total_steps == cfg.train_cfg.max_epochs
    assert 1 <= cfg.train_cfg.val_interval <= cfg.train_cfg.max_epochs
    for name in ('model', 'optim_wrapper', 'val_dataloader', 'data_preprocessor', 'randomness'):
        assert cfg[name] == clean[name], name
    assert {**cfg.param_scheduler, 'total_steps': 0} == {**clean.param_scheduler, 'total_steps': 0}
    assert {**cfg.train_dataloader, 'dataset': 0} == {**clean.train_dataloader, 'dataset': 0}


def test_every_set_is_trained_on():
    assert SETS
    assert {needed.config for config in OFFLINE for needed in load_config(config).requires} == set(
        SETS
    )


@pytest.mark.parametrize('method', ['simple', 'transformmix'])
def test_wrn28_on_cifar100_is_the_papers(method, model_of):
    cfg = load_config(f'configs/{method}/wrn28_cifar100.py')
    model = model_of(f'configs/{method}/wrn28_cifar100.py')
    assert sum(weight.numel() for weight in model.parameters()) == 36_546_980
    assert cfg.train_dataloader.batch_size == 100
    assert cfg.train_cfg.max_epochs == 400
    assert cfg.param_scheduler == dict(
        type='MultiStepLR', by_epoch=True, milestones=[200, 300], gamma=0.1
    )
    optimizer = dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True)
    assert cfg.optim_wrapper.optimizer == optimizer
    if method == 'transformmix':
        (augment,) = model.data_preprocessor.batch_augments.augments
        assert isinstance(augment, TransformMix)
        assert (augment.num_mix, augment.alpha, augment.mixer.cam_size) == (2, 1.0, 32)


def test_shake_shakes_learning_rate_falls_as_a_cosine_by_iteration():
    cfg = load_config('configs/_base_/schedules/shakeshake_1800e.py')
    optimizer = dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=2.5e-3, nesterov=True)
    assert cfg.optim_wrapper == dict(optimizer=optimizer, clip_grad=dict(max_norm=5))
    assert (cfg.train_cfg.max_epochs, cfg.auto_scale_lr.base_batch_size) == (1800, 128)
    steps = 2  # an epoch has 391
    sgd = torch.optim.SGD([torch.zeros(1)], lr=optimizer['lr'])
    schedule = cfg.param_scheduler.to_dict()
    assert schedule.pop('type') == 'CosineAnnealingLR'
    assert schedule.pop('convert_to_iter_based')
    scheduler = CosineAnnealingLR.build_iter_from_epoch(sgd, **schedule, epoch_length=steps)
    rates = []
    for _ in range(1800 * steps + 1):
        rates.append(sgd.param_groups[0]['lr'])
        sgd.step()
        scheduler.step()
    expected = {0: 0.01, 300: 0.00933013, 600: 0.0075, 900: 0.005, 1200: 0.0025, 1800: 0}
    for epoch, rate in expected.items():
        assert rates[epoch * steps] == pytest.approx(rate, abs=1e-8)
    assert all(one > two for one, two in zip(rates, rates[1:], strict=False))


def test_search_on_cifar100_is_the_papers():
    cfg = load_config('configs/transformmix/search_wrn28_cifar100.py')
    assert (cfg.train_cfg.max_epochs, cfg.train_dataloader.batch_size) == (100, 128)
    assert cfg.optim_wrapper.optimizer.type == 'SGD'
    assert cfg.optim_wrapper.optimizer.lr == 5e-4
    assert cfg.optim_wrapper.optimizer.weight_decay == 0.01
    assert cfg.model.alpha == 1.0
