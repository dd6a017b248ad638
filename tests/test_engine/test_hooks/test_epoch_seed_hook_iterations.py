"""EpochSeedHook in runs by iterations: what a step sees depends on its number alone."""

import pytest
import torch

from mmtmix.engine.hooks import epoch_seed_hook
from mmtmix.engine.seeded_batches import is_seedable, seeded_batches

SEED = dict(type='EpochSeedHook')
STEPS, BROKEN_AT = 9, 8  # 32 images in batches of 8: the third pass has begun
CHECKPOINT = dict(checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=BROKEN_AT - 1))
PLAIN = [dict(type='PackInputs')]

pytestmark = pytest.mark.host


def sampler(kind, **settings):
    return dict(sampler=dict(type=kind, shuffle=True, **settings))


LOADERS = dict(
    infinite=sampler('InfiniteSampler'),
    infinite_workers=sampler('InfiniteSampler')
    | dict(num_workers=2, persistent_workers=True, prefetch_factor=4),
    default=sampler('DefaultSampler'),
    default_workers=sampler('DefaultSampler') | dict(num_workers=1, drop_last=True),
    endless_epochs=sampler('EndlessSampler', epoch_size=24),
    repeated=sampler('RepeatAugSampler', num_repeats=2),
)


@pytest.fixture
def by_iteration(probe_runner):
    """Make a Runner by iterations on 32 images."""

    def make(*hooks, loader, pipeline=None, **kwargs):
        crop = [dict(type='RandomCrop', crop_size=28, padding=4), *PLAIN]
        dataset = dict(type='FashionMNISTIdx', indices=32, pipeline=pipeline or crop)
        return probe_runner(
            *hooks,
            loader=loader | dict(dataset=dataset),
            train_cfg=dict(by_epoch=False, max_iters=STEPS),
            default_hooks=CHECKPOINT,
            **kwargs,
        )

    return make


@pytest.mark.parametrize('name', LOADERS)
def test_resumed_steps_see_the_same_crops_and_end_the_same(
    by_iteration, stop_before, tmp_path, name
):
    unbroken = by_iteration(SEED, loader=LOADERS[name], work_dir=str(tmp_path / 'unbroken'))
    unbroken.train()
    with pytest.raises(KeyboardInterrupt):
        by_iteration(SEED, stop_before(step=BROKEN_AT), loader=LOADERS[name]).train()
    resumed = by_iteration(SEED, loader=LOADERS[name], resume=True)
    resumed.train()
    # a checkpoint follows the seventh step
    rest = unbroken.model.seen[BROKEN_AT - 1 :]
    assert len(resumed.model.seen) == len(rest) == STEPS - BROKEN_AT + 1
    assert all(map(torch.equal, resumed.model.seen, rest))
    assert torch.equal(resumed.model.weight, unbroken.model.weight)


@pytest.mark.parametrize('name', ['infinite', 'default', 'repeated'])
def test_batches_are_those_that_mmengine_takes(by_iteration, monkeypatch, name):
    monkeypatch.setattr('time.sleep', lambda seconds: None)  # MMEngine's, after each pass
    ours, theirs = (
        by_iteration(*hooks, loader=LOADERS[name], pipeline=PLAIN) for hooks in ([SEED], [])
    )
    ours.train()
    theirs.train()
    assert all(map(torch.equal, ours.model.seen, theirs.model.seen))
    first, second, *_ = ours.model.seen
    assert not torch.equal(first, second)


def test_crops_differ_from_step_to_step_and_from_seed_to_seed(by_iteration):
    seen = []
    for seed in (0, 1):
        runner = by_iteration(
            SEED,
            loader=sampler('InfiniteSampler', seed=3) | dict(batch_size=32),
            randomness=dict(seed=seed),
        )
        runner.train()
        # each batch has all images, in an order of its own
        seen += [batch.flatten(1).sum(dim=1).sort().values for batch in runner.model.seen]
    for number, batch in enumerate(seen):
        assert not any(torch.equal(batch, other) for other in seen[:number])


def test_skipped_images_are_not_loaded(by_iteration, stop_before, monkeypatch):
    from mmtmix.datasets import FashionMNISTIdx

    loaded = []
    load = FashionMNISTIdx.__getitem__
    monkeypatch.setattr(
        FashionMNISTIdx, '__getitem__', lambda self, idx: (loaded.append(idx), load(self, idx))[1]
    )
    loader = LOADERS['infinite']
    with pytest.raises(KeyboardInterrupt):
        by_iteration(SEED, stop_before(step=BROKEN_AT), loader=loader).train()
    loaded.clear()
    by_iteration(SEED, loader=loader, resume=True).train()
    assert len(loaded) == 8 * (STEPS - BROKEN_AT + 1)


def test_batches_that_are_not_chosen_by_indices_are_reported(by_iteration, monkeypatch):
    monkeypatch.setattr(epoch_seed_hook, 'is_seedable', lambda loader: False)
    warned = []
    monkeypatch.setattr(
        epoch_seed_hook, 'print_log', lambda message, **options: warned.append(message)
    )
    by_iteration(SEED, loader=LOADERS['infinite']).train()
    (message,) = warned
    assert 'a resumed run will differ from an unbroken one' in message


def test_streams_of_samples_cannot_be_seeded():
    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(4))

    assert not is_seedable(torch.utils.data.DataLoader(Stream()))
    assert is_seedable(torch.utils.data.DataLoader(range(4)))
    assert not is_seedable(torch.utils.data.DataLoader(range(4), batch_size=None))


def test_a_loader_without_a_batch_is_refused():
    loader = torch.utils.data.DataLoader(range(3), batch_size=4, drop_last=True)
    with pytest.raises(ValueError, match='data loader of range has no batch: .*drop_last'):
        next(seeded_batches(loader, 0, 0, 1))
