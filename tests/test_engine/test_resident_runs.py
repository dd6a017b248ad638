"""Runs on a data set in memory: resuming, label checks, evaluation."""

import pytest
import torch

from mmtmix.recipes import resident

SEED = dict(type='EpochSeedHook')
PIPELINE = [
    dict(type='RandomCrop', crop_size=28, padding=4),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackInputs'),
]
IMAGES = dict(type='FashionMNISTIdx', indices=32, pipeline=PIPELINE)

pytestmark = pytest.mark.host


def loader(kind, dataset=IMAGES, **settings):
    ordinary = dict(batch_size=8, num_workers=0, sampler=dict(type=kind, shuffle=True, **settings))
    made = resident(dict(ordinary, dataset=dataset))
    made.pop('_delete_')
    return made


@pytest.mark.parametrize(
    ('by_epoch', 'sampler'),
    [
        (True, dict(kind='DefaultSampler')),
        (True, dict(kind='EndlessSampler', epoch_size=24)),
        (False, dict(kind='InfiniteSampler')),
    ],
)
def test_a_resumed_run_ends_as_an_unbroken_one(
    probe_runner, stop_before, tmp_path, by_epoch, sampler
):
    loop = dict(by_epoch=True, max_epochs=3) if by_epoch else dict(by_epoch=False, max_iters=9)
    saved = dict(type='CheckpointHook', by_epoch=by_epoch, interval=1 if by_epoch else 4)
    settings = dict(loader=loader(**sampler), train_cfg=loop, default_hooks=dict(checkpoint=saved))
    unbroken = probe_runner(SEED, **settings, work_dir=str(tmp_path / 'unbroken'))
    unbroken.train()
    stop = stop_before(epoch=2) if by_epoch else stop_before(step=5)
    with pytest.raises(KeyboardInterrupt):
        probe_runner(SEED, stop, **settings).train()
    resumed = probe_runner(SEED, **settings, resume=True)
    resumed.train()
    rest = unbroken.model.seen[-len(resumed.model.seen) :]
    assert 0 < len(rest) < len(unbroken.model.seen)
    assert all(map(torch.equal, resumed.model.seen, rest))
    assert torch.equal(resumed.model.weight, unbroken.model.weight)
    seen = [batch.sum() for batch in unbroken.model.seen]
    assert len({value.item() for value in seen}) == len(seen)  # other images, crops and flips


def test_labels_and_names_are_checked_through_it(probe_runner):
    from mmtmix.datasets.class_names import iter_names
    from mmtmix.engine.labels import iter_labelled

    runner = probe_runner(dict(type='LabelRangeHook'), loader=loader('DefaultSampler'))
    runner.model.head = torch.nn.Module()
    runner.model.head.num_classes = 3
    with pytest.raises(ValueError, match='train_dataloader: FashionMNISTIdx .* has 3 classes'):
        runner.train()
    dataset = runner.train_dataloader.dataset
    assert [each is dataset.dataset for each in iter_labelled(dataset)] == [True]
    (names,) = iter_names(dataset, 'train_dataloader')
    assert names.classes[0] == 'T-shirt/top'
