"""Loaders whose data set stays in memory, written out."""

import pytest

from mmtmix.recipes import resident

IMAGES = dict(type='CIFAR100', pipeline=[dict(type='PackInputs')])
LOADER = dict(
    batch_size=64,
    num_workers=3,
    persistent_workers=True,
    prefetch_factor=4,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=IMAGES,
)


def test_workers_read_once_and_the_rest_stays():
    made = resident(LOADER)
    assert made == dict(
        _delete_=True,
        batch_size=64,
        num_workers=0,
        persistent_workers=False,
        pin_memory=False,
        sampler=LOADER['sampler'],
        collate_fn=dict(type='resident_collate'),
        dataset=dict(type='ResidentDataset', dataset=IMAGES, read_workers=3),
    )
    assert LOADER['num_workers'] == 3
    on_cpu = resident(dict(LOADER, pin_memory=True), device='cpu', max_bytes=10**9)
    assert on_cpu['pin_memory']
    assert on_cpu['dataset']['device'] == 'cpu' and on_cpu['dataset']['max_bytes'] == 10**9


def test_a_script_needs_no_delete():
    inherited = resident(LOADER)
    assert inherited.pop('_delete_') and resident(LOADER, inherits=False) == inherited


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match=r"loader\['dataset'\] must be the config of a data set"):
        resident(dict(batch_size=1))
    with pytest.raises(TypeError, match='loader must be the config of a data loader'):
        resident(None)
    with pytest.raises(ValueError, match=r"type of loader\['collate_fn'\] must be one of"):
        resident(dict(LOADER, collate_fn=dict(type='mine')))
