"""Epochs for more images at the same number of iterations."""

import pytest
from mmengine.config import Config

from mmtmix.utils import load_config, scale_epochs


@pytest.mark.parametrize(
    ('epochs', 'num_clean', 'num_images', 'scaled'),
    [
        (600, 50_000, 250_000, 120),  # the paper's, kappa = 5
        (600, 50_000, 500_000, 60),
        ([150, 300, 450], 50_000, 250_000, [30, 60, 90]),
        ((200, 300), 100, 100, [200, 300]),
        (10, 100, 150, 7),
        (4, 100, 1000, 1),
        ([1, 2], 1, 10**9, [1, 1]),
        ([], 1, 2, []),
    ],
)
def test_epochs_are_divided_by_kappa_but_never_to_none(epochs, num_clean, num_images, scaled):
    assert scale_epochs(epochs, num_clean, num_images) == scaled


def test_as_many_iterations_but_for_half_an_epoch():
    for num_images in range(5000, 50_000, 777):
        epochs = scale_epochs(300, 5000, num_images)
        assert isinstance(epochs, int)
        assert abs(epochs * num_images - 300 * 5000) <= num_images / 2


@pytest.mark.parametrize(('numbers', 'name'), [((0, 5), 'num_clean'), ((5, -1), 'num_images')])
def test_no_images_are_refused_by_name(numbers, name):
    with pytest.raises(ValueError, match=f'{name} must be an integer >= 1, got'):
        scale_epochs(10, *numbers)


BASE = """
train_cfg = dict(max_epochs=600, val_interval=10)
param_scheduler = dict(milestones=[300, 450], gamma=0.1)
"""
CONFIG = """
_base_ = './base.py'

from mmtmix.utils import scale_epochs

kappa = 5
epochs = scale_epochs(_base_.train_cfg.max_epochs, 1, kappa)
param_scheduler = dict(milestones=scale_epochs(_base_.param_scheduler.milestones, 1, kappa))
train_cfg = dict(max_epochs=epochs)
"""


@pytest.mark.host
@pytest.mark.parametrize('load', [load_config, Config.fromfile])
def test_a_config_can_use_it_and_does_not_keep_it(tmp_path, load):
    (tmp_path / 'base.py').write_text(BASE)
    (tmp_path / 'config.py').write_text(CONFIG)
    cfg = load(tmp_path / 'config.py')
    assert cfg.to_dict() == dict(
        kappa=5,
        epochs=120,
        train_cfg=dict(max_epochs=120, val_interval=10),
        param_scheduler=dict(milestones=[60, 90], gamma=0.1),
    )
    # as a Runner writes it down and a resumed one reads it
    cfg.dump(tmp_path / 'dumped.py')
    assert load(tmp_path / 'dumped.py').to_dict() == cfg.to_dict()
