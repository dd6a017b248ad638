"""What MMPretrain's own tools need of our configs and networks."""

import pytest
from mmpretrain.registry import MODELS

from mmtmix.models import backbones
from mmtmix.utils import load_config

pytestmark = pytest.mark.host


@pytest.mark.parametrize('name', sorted(backbones.__all__))
def test_vis_tsne_finds_the_numbers_of_the_outputs(name):
    depths = dict(CifarResNet=8, CifarResNeXt=50, CifarVGG=8, DeepResNet=50, ShakeShake=26)
    depths['WideResNet'] = 10
    settings = dict(depth=depths[name]) if name in depths else {}
    if name == 'WideResNet':
        settings['widen_factor'] = 1
    backbone = MODELS.build(dict(type=f'mmpretrain.{name}', **settings))
    assert len(backbone.out_indices) == 1


def test_configs_have_the_hook_that_show_dir_switches_on():
    cfg = load_config('configs/transformmix/wrn10_fashionmnist_demo.py')
    assert cfg.default_hooks.visualization == dict(type='PredictionPicturesHook', enable=False)
