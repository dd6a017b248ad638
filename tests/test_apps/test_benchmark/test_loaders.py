"""The data paths that are timed do the same work."""

import pytest
import torch

from mmtmix.apps.benchmark import loaders
from mmtmix.utils import load_config

pytestmark = pytest.mark.host


@pytest.fixture(scope='module')
def bench():
    """The demo's images, 64 of them, and its network."""
    cfg = load_config('configs/simple/wrn10_fashionmnist_demo.py')
    cfg.train_dataloader.dataset.indices = 64
    return loaders.DataBench(cfg, batch_size=16)


def test_both_loaders_give_the_same_images_in_the_same_order(bench):
    calls = bench.calls()
    for _ in range(5):  # into the second pass
        theirs, ours = calls[loaders.ORDINARY](), calls[loaders.RESIDENT]()
        assert ours['inputs'].shape == theirs['inputs'].shape == (16, 1, 28, 28)
        numbers = [
            [sample.sample_idx for sample in each['data_samples']] for each in (theirs, ours)
        ]
        assert numbers[0] == numbers[1]


@pytest.mark.parametrize(
    'name', [loaders.BARE_STEP, loaders.BARE_DATA_STEP, loaders.RESIDENT_STEP]
)
def test_each_step_trains(bench, monkeypatch, name):
    stepped = []
    step = torch.optim.SGD.step
    monkeypatch.setattr(
        torch.optim.SGD, 'step', lambda self, *a, **k: (stepped.append(1), step(self, *a, **k))[1]
    )
    bench.calls()[name]()
    assert stepped == [1]
