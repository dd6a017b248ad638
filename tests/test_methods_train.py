"""Every method's Fashion-MNIST config trains, validates and exports a plain classifier.

Each step has a gradient for each parameter, so DDP needs no ``find_unused_parameters``.
"""

import math
from pathlib import Path

import pytest
import torch
from mmpretrain.registry import MODELS

from mmtmix.engine.launch import build_runner
from mmtmix.utils import load_checkpoint, load_config

pytestmark = pytest.mark.host

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted(ROOT.glob('configs/*/wrn16_fashionmnist_mini.py'))


def with_teacher(settings, teacher):
    """Replace files that other runs would make."""
    if isinstance(settings, dict):
        if 'teacher' in settings:
            settings['teacher'] = teacher
        if isinstance(settings.get('mixer'), str):
            settings['mixer'] = dict(type='TransformMixer', cam_size=28)
        for value in settings.values():
            with_teacher(value, teacher)
    elif isinstance(settings, list):
        for value in settings:
            with_teacher(value, teacher)


def test_there_is_one_of_each_method():
    methods = {path.parent.name for path in CONFIGS}
    assert methods == {
        *('simple', 'mixup', 'cutmix', 'resizemix', 'gridmix', 'smoothmix', 'fmix'),
        *('saliencymix', 'attentivemix', 'cammix', 'puzzlemix', 'comixup', 'supermix'),
        *('transformmix', 'manifold_mixup', 'automix', 'adautomix', 'augmix', 'visible'),
    }


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.parent.name)
def test_it_trains_to_a_plain_classifier(path, tmp_path, fitted_teacher, gradient_witness):
    cfg = load_config(path)
    cfg.work_dir, cfg.log_level = str(tmp_path), 'ERROR'
    with_teacher(cfg.model.get('train_cfg'), fitted_teacher)
    cfg.train_dataloader.batch_size = 32
    cfg.train_dataloader.dataset.indices = 128
    cfg.val_dataloader.dataset.indices = 64
    cfg.train_cfg.max_epochs = cfg.train_cfg.val_interval = cfg.param_scheduler.total_steps = 1
    cfg.default_hooks.logger.interval = 1
    runner = build_runner(cfg)
    runner.register_hook(gradient_witness)
    runner.train()
    assert gradient_witness.updates == 4 and not gradient_witness.missing
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert len(losses) == 4
    assert all(map(math.isfinite, losses))
    assert 0 <= runner.message_hub.get_scalar('val/accuracy/top1').current() <= 100
    plain = load_config('configs/simple/wrn16_fashionmnist_mini.py').model
    plain.backbone = {**plain.backbone, **cfg.model.backbone}
    network = MODELS.build(dict(plain, _scope_='mmpretrain'))
    network.load_state_dict(load_checkpoint(tmp_path / 'last.pth')['state_dict'], strict=True)
    with torch.no_grad():
        assert network(torch.zeros(1, 1, 28, 28), mode='tensor').shape == (1, 10)


@pytest.mark.parametrize(
    'variants',
    [
        {},
        *(dict(MIX=mix) for mix in ('mixup', 'cutmix', 'cam', 'transformmix', 'supermix')),
        dict(MIX='transformmix', LABELS='mixed', KD_ON='both'),
    ],
    ids=lambda variants: '-'.join(variants.values()) or 'none',
)
def test_a_student_is_distilled_on_any_mixes(variants, tmp_path, fitted_teacher):
    cfg = load_config('configs/distill/mixes_fashionmnist_mini.py', variants=variants)
    cfg.work_dir, cfg.log_level = str(tmp_path), 'ERROR'
    with_teacher(cfg.custom_hooks, fitted_teacher)
    cfg.train_dataloader.update(batch_size=16)
    cfg.train_dataloader.dataset.indices = 32
    cfg.val_dataloader.dataset.indices = 32
    cfg.train_cfg.max_epochs = cfg.train_cfg.val_interval = cfg.param_scheduler.total_steps = 1
    cfg.default_hooks.logger.interval = 1
    runner = build_runner(cfg)
    runner.train()
    scalars = runner.message_hub.log_scalars
    for term in ('loss_cls', 'loss_kd', *(['loss_mixed'] if variants else [])):
        assert all(map(math.isfinite, scalars[f'train/{term}'].data[0])), term
    assert ('train/loss_kd_mixed' in scalars) == ('KD_ON' in variants)
    keys = load_checkpoint(tmp_path / 'last.pth')['state_dict']
    assert {key.split('.')[0] for key in keys} == {'backbone', 'head'}
