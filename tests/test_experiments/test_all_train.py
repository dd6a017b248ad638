"""Every experiment's config trains and validates, in small; and its network fits its images."""

import json
import math
import os
from functools import cache, partial
from pathlib import Path

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import DATASETS, MODELS

from mmtmix.models import MixerSearch, load_mixer
from mmtmix.recipes import PAIRS
from mmtmix.utils import load_checkpoint, load_config
from tests.test_experiments.reading import ROOT, load

CONFIGS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in ROOT.glob('configs/**/*.py')
    if '_base_' not in path.parts
    and 'fashionmnist' not in path.name
    # nor are the experiments on images of our own the papers'
    and 'glyphs' not in path.as_posix()
    # these train nothing
    and not path.name.startswith('generate_')
)
# what variants can ask for
OTHERS = dict(
    DATASET=('simple/resnet50_transfer', ['flowers102_818', 'pets', 'cars', 'aircraft']),
    PAIR=('distill/crd_kd', [pair for pair in PAIRS if 'fashionmnist' not in pair]),
    ABLATION=('transformmix/search_ablation_resnet18_cifar10', ['softmax_cam', 'mask_only']),
)
CASES = [(config, ()) for config in CONFIGS] + [
    (f'configs/{config}.py', (name, value))
    for name, (config, values) in OTHERS.items()
    for value in values
]


def first_of_each_method():
    """One config of each folder, and what a folder has beside its main kind."""
    first = {}
    for config in CONFIGS:
        first.setdefault(os.path.dirname(config), config)
    return {
        *first.values(),
        'configs/distill/crd_kd.py',
        'configs/distill/kd_supermix.py',
        'configs/transformmix/search_resnet18_cifar10.py',
    }


HOST = first_of_each_method()


def cases(marks=()):
    found = []
    for config, variant in CASES:
        name = '-'.join([config.removeprefix('configs/').removesuffix('.py'), *variant[1:]])
        marked = config in HOST and not variant
        found.append(pytest.param(config, variant, id=name, marks=marks if marked else ()))
    return found


def test_there_are_configs_of_all_methods():
    assert len(CONFIGS) > 100
    assert {Path(config).parent.name for config in HOST} == {
        *('simple', 'mixup', 'cutmix', 'resizemix', 'fmix', 'saliencymix', 'puzzlemix', 'comixup'),
        *('manifold_mixup', 'automix', 'adautomix', 'augmix', 'autoaugment', 'randaugment'),
        *('transformmix', 'supermix', 'supermix_randaugment', 'distill', 'mixbench'),
    }


def check_training(cfg, runner):
    runner.train()
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert len(losses) == runner.iter == 2
    assert all(map(math.isfinite, losses))
    assert all(weight.isfinite().all() for weight in runner.model.parameters())
    folder = Path(runner.work_dir)
    if cfg.model.type == 'MixerSearch':
        name = cfg.train_cfg.get('mixer_name', 'mixer.pth')
        assert load_mixer(folder / name).num_mix == cfg.model.mixer.num_mix
        for method in ('transformmix', 'mixup', 'cutmix'):
            found = runner.message_hub.get_scalar(f'val/mix/{method}/ce').current()
            assert math.isfinite(found)
        return
    for k in (1, 5):
        assert 0 <= runner.message_hub.get_scalar(f'val/accuracy/top{k}').current() <= 100
    state = load_checkpoint(folder / 'last.pth')['state_dict']
    assert {name.split('.')[0] for name in state} == {'backbone', 'head'}


@pytest.mark.parametrize(('config', 'variant'), cases([pytest.mark.host]))
def test_it_trains(config, variant, small_runner):
    cfg = load(config, variant)
    runner = small_runner(cfg)
    assert isinstance(runner.model, MixerSearch) == ('/search_' in config)
    check_training(cfg, runner)


def test_a_recipe_that_is_switched_later_trains(small_runner):
    """Phase 3 of PuzzleMix on ImageNet, from the first epoch."""
    cfg = load('configs/puzzlemix/resnet50_imagenet.py', ())
    (switch,) = (hook for hook in cfg.custom_hooks if hook.type == 'SwitchRecipeHook')
    switch.schedule[0].action_epoch = 1
    runner = small_runner(cfg)
    check_training(cfg, runner)
    (augment,) = runner.model.data_preprocessor.batch_augments.augments
    assert augment.saliency.clean_lam == 0


# ---- not in small


def datasets_of(dataset):
    if 'datasets' not in dataset:
        return [dataset]
    return [single for part in dataset.datasets for single in datasets_of(part)]


@cache
def shape_of_logits(text):
    """What a classifier gives for two images, without memory for its weights."""
    with DefaultScope.overwrite_default_scope('mmpretrain'), torch.device('meta'):
        with pytest.MonkeyPatch.context() as patch:
            # a ResNet reads its drop path rates
            patch.setattr(torch, 'linspace', partial(torch.linspace, device='cpu'))
            model = MODELS.build(json.loads(text)).eval()
        return tuple(model(torch.zeros(2, 3, 64, 64), mode='tensor').shape)


@pytest.mark.parametrize(('config', 'variant'), cases())
def test_the_whole_network_and_its_data_sets_can_be_built(config, variant, tmp_path, monkeypatch):
    cfg = load(config, variant)
    model = cfg.model if 'backbone' in cfg.model else load_config(cfg.model.teacher.config).model
    classes = cfg.data_preprocessor.num_classes
    network = dict(
        type='ImageClassifier', **{part: model[part] for part in ('backbone', 'neck', 'head')}
    )
    assert shape_of_logits(json.dumps(network)) == (2, classes)
    monkeypatch.chdir(tmp_path)
    # the only class that looks for its files at once
    Path('data/cars').mkdir(parents=True)
    Path('data/cars/cars_annos.mat').touch()
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
            for dataset in datasets_of(loader.dataset):
                built = DATASETS.build(dict(dataset, lazy_init=True))
                assert len(built.metainfo.get('classes', range(classes))) == classes
