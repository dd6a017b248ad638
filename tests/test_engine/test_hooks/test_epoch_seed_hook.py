"""EpochSeedHook and seed_worker: an epoch's randomness depends on nothing before it."""

import random

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

from mmtmix.engine import EpochSeedHook
from mmtmix.engine.hooks import epoch_seed_hook

SEED = dict(type='EpochSeedHook')
WORKERS = dict(
    num_workers=2, persistent_workers=False, worker_init_fn=dict(type='seed_worker'), batch_size=8
)

pytestmark = pytest.mark.host


class Draw(Hook):
    """Draws from all three sources whenever an epoch starts."""

    priority = 'LOW'

    def __init__(self):
        self.drawn = []

    def before_train_epoch(self, runner):
        self.drawn.append((random.random(), np.random.rand(), float(torch.rand(()))))  # noqa: NPY002


@pytest.mark.parametrize('loader', [None, WORKERS], ids=['no_workers', 'two_workers'])
def test_resumed_epoch_sees_the_same_crops_and_ends_the_same(
    probe_runner, stop_before, tmp_path, loader
):
    unbroken = probe_runner(SEED, epochs=3, loader=loader, work_dir=str(tmp_path / 'unbroken'))
    unbroken.train()
    broken = probe_runner(SEED, stop_before(epoch=2), epochs=3, loader=loader)
    with pytest.raises(KeyboardInterrupt):
        broken.train()
    resumed = probe_runner(SEED, epochs=3, loader=loader, resume=True)
    resumed.train()
    assert len(resumed.model.seen) == 6
    third_epoch = unbroken.model.seen[12:]
    assert all(map(torch.equal, resumed.model.seen, third_epoch))
    assert torch.equal(resumed.model.weight, unbroken.model.weight)


def test_workers_and_epochs_draw_different_crops(probe_runner):
    dataset = dict(
        type='FashionMNISTIdx',
        indices=1,
        pipeline=[dict(type='RandomCrop', crop_size=28, padding=4), dict(type='PackInputs')],
    )
    one_image = dict(type='RepeatDataset', times=32, dataset=dataset)
    runner = probe_runner(SEED, epochs=2, loader=WORKERS | dict(dataset=one_image))
    runner.train()
    batches = [batch.flatten(1) for batch in runner.model.seen]
    assert len(batches) == 8
    # the workers take turns, and each crop has 81 places to go to
    for first in range(8):
        for second in range(first):
            assert not torch.equal(batches[first], batches[second])


def test_all_sources_are_seeded_by_seed_epoch_and_rank(probe_runner, monkeypatch):
    def draws(seed=0, rank=0):
        monkeypatch.setattr(epoch_seed_hook, 'get_rank', lambda: rank)
        hook = Draw()
        probe_runner(SEED, hook, randomness=dict(seed=seed)).train()
        return hook.drawn

    drawn = draws()
    assert drawn == draws()
    everything = [*drawn, *draws(seed=1), *draws(rank=1)]
    for source in zip(*everything, strict=True):
        assert len(set(source)) == 6


def test_hook_is_in_the_registry_under_its_name(probe_runner):
    assert any(isinstance(hook, EpochSeedHook) for hook in probe_runner(SEED).hooks)
