"""The suite cam on Glyphs, whose objects are known pixel by pixel."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS

from mmtmix.datasets import Glyphs

from .conftest import evaluate

SCENE = dict(num_classes=4, object_size=(0.5, 0.6), objects=2, size=32)


@pytest.fixture
def glyphs(tmp_path):
    """Write a config of an untrained network on 12 images, and its weights."""
    cfg = Config.fromfile('configs/simple/glyphs_demo.py')
    cfg.data_preprocessor.num_classes = cfg.model.head.num_classes = 4
    cfg.model.backbone.depth = 10
    cfg.test_dataloader.dataset = dict(
        type='Glyphs', split='test', num_images=12, pipeline=[dict(type='PackInputs')], **SCENE
    )
    cfg.dump(tmp_path / 'config.py')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        torch.manual_seed(0)
        model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'last.pth')
    return tmp_path


def test_cam_compares_with_boxes_and_masks(glyphs):
    out = glyphs / 'cam.json'
    words = ('--suite', 'cam', '--device', 'cpu', '--out', str(out))
    evaluate(str(glyphs / 'config.py'), str(glyphs / 'last.pth'), *words)
    figures = json.loads(out.read_text())['suites']['cam']['figures']
    items = [*Glyphs('test', num_images=12, **SCENE)]
    areas = [item['gt_mask'].mean() for item in items]
    assert figures['mask_area'] == pytest.approx(100 * np.mean(areas), abs=1e-3)
    assert figures['mask_area'] < figures['box_area'] < 100
    assert 0 < figures['share_in_mask'] < figures['share_inside'] < 100
    assert figures['mask_pointing_game'] <= figures['pointing_game']


@pytest.mark.parametrize(
    ('pipeline', 'words', 'message'),
    [
        ([dict(type='Resize', scale=16)], (), 'masks of Glyphs through Resize'),
        ([dict(type='RandomFlip', prob=0.5)], (), 'cannot follow boxes through RandomFlip'),
        ([], ('--boxes', 'boxes.json'), 'leave out --boxes'),
    ],
)
def test_cam_refuses_what_moves_objects(glyphs, pipeline, words, message, monkeypatch):
    monkeypatch.chdir(glyphs)
    (glyphs / 'boxes.json').write_text('{"0": [0, 0, 4, 4]}')
    cfg = Config.fromfile('config.py')
    cfg.test_dataloader.dataset.pipeline = [*pipeline, dict(type='PackInputs')]
    cfg.dump('config.py')
    words = ('--suite', 'cam', '--device', 'cpu', '--out', 'cam.json', *words)
    with pytest.raises(ValueError, match=message):
        evaluate('config.py', 'last.pth', *words)
