"""tools/visualize_mix.py, and configs of classifiers that train with a mixer."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmtmix.models import TransformMixer, save_mixer

MEAN, STD = [72.94], [90.02]  # not those of the teachers of tests/conftest.py


@pytest.fixture(scope='module')
def tool(load):
    return load('visualize_mix')


@pytest.fixture
def mixer_file(tmp_path):
    """Make a mixer.pth whose masks and warps differ from image to image."""

    def make(num_mix=2):
        torch.manual_seed(1)
        mixer = TransformMixer(num_mix=num_mix, cam_size=18)
        for parameter in (*mixer.stn.fc.parameters(), *mixer.mask_network.parameters()):
            torch.nn.init.normal_(parameter, std=0.2)
        save_mixer(mixer, tmp_path / 'mixer.pth')
        return str(tmp_path / 'mixer.pth')

    return make


@pytest.fixture
def config(tmp_path, teacher_args, mixer_file):
    """Write a classifier's config: ``config(**what to change)``."""

    def make(num_mix=2, **changes):
        augment = dict(
            type='TransformMix',
            mixer=mixer_file(num_mix),
            teacher=teacher_args(in_channels=1),
            num_mix=num_mix,
        )
        random = [dict(type='RandomCrop', crop_size=28, padding=9), dict(type='PackInputs')]
        loaders = {
            f'{name}_dataloader': dict(
                batch_size=8,
                dataset=dict(type='FashionMNISTIdx', split=split, pipeline=pipeline),
            )
            for name, split, pipeline in (
                ('train', 'train', random),
                ('val', 'test', [dict(type='PackInputs')]),
            )
        }
        cfg = Config(
            dict(
                custom_imports=['mmtmix'],
                default_scope='mmpretrain',
                model=dict(type='ImageClassifier', train_cfg=dict(augments=augment)),
                data_preprocessor=dict(num_classes=10, mean=MEAN, std=STD),
                **loaders,
            )
        )
        cfg.merge_from_dict(changes)
        path = tmp_path / 'config.py'
        cfg.dump(path)
        return str(path)

    return make


@pytest.fixture
def plain_config(config, teacher_args):
    """Write the config of a mixer that moves nothing: ``plain_config('SuperMix', alpha=1.0)``."""

    def make(kind, **settings):
        if kind == 'SuperMix':
            settings = dict(teacher=teacher_args(in_channels=1), max_iters=3, **settings)
        augment = dict(type=kind, _delete_=True, **settings)
        return config(**{'model.train_cfg.augments': augment})

    return make


@pytest.fixture
def run(tool, tmp_path):
    """Run the tool: the arrays of each cell, the texts, and the figure."""

    def call(config, *options):
        out = tmp_path / 'out' / 'mix.png'
        figure = tool.main([config, '--out', str(out), '--device', 'cpu', *options])
        assert cv2.imread(str(out)) is not None
        assert [path.name for path in out.parent.iterdir()] == ['mix.png']
        cells = [[image.get_array() for image in axes.images] for axes in figure.axes]
        return cells, [text.get_text() for text in figure.texts]

    return call


@pytest.fixture
def assert_shows():
    """Check that a cell shows an image of 0-255."""

    def check(array, image):
        np.testing.assert_allclose(array, image / 255, atol=1e-6)

    return check
