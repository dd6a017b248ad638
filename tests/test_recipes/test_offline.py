"""Training on clean and mixed images, written out."""

import pytest

from mmtmix.recipes import clean_and_mixed, mixed_images, scale_schedule

SET = dict(config='configs/supermix/generate_a.py', produces='work_dirs/a/dataset.json')
CROP = dict(type='RandomCrop', crop_size=32, padding=4)
MIXED = dict(type='MixedImages', data_root='work_dirs/a', pipeline=[CROP])


def test_mixed_images_are_cropped_as_the_clean_ones_and_not_loaded():
    assert mixed_images(SET, [dict(type='CheckedLoadImageFromFile'), CROP]) == MIXED
    clean = dict(type='CIFAR100', pipeline=[CROP])
    assert clean_and_mixed(clean, SET) == dict(
        _delete_=True, type='ConcatDataset', datasets=[clean, MIXED]
    )
    assert clean == dict(type='CIFAR100', pipeline=[CROP])


@pytest.mark.parametrize(
    ('schedule', 'scaled'),
    [
        (dict(type='MultiStepLR', milestones=[200, 300]), dict(milestones=[18, 27])),
        (dict(type='CosineAnnealingLR', T_max=600), dict(T_max=55)),
        (dict(type='OneCycleLR', total_steps=600), dict(total_steps=55)),
    ],
)
def test_a_schedule_takes_as_many_iterations(schedule, scaled):
    base = dict(param_scheduler=schedule, train_cfg=dict(max_epochs=600, val_interval=20))
    made = scale_schedule(base, num_clean=50_000, num_mixed=500_000)
    assert made == (scaled, dict(max_epochs=55, val_interval=2))


def test_wrong_arguments_are_named():
    base = dict(param_scheduler=dict(type='PolyLR'), train_cfg={})
    with pytest.raises(ValueError, match="type of param_scheduler must be one of 'MultiStepLR'"):
        scale_schedule(base, 1, 1)
    with pytest.raises(ValueError, match='num_clean must be an integer >= 1, got 0'):
        scale_schedule(base, 0, 1)
    with pytest.raises(TypeError, match='param_scheduler must be a single schedule'):
        scale_schedule(dict(base, param_scheduler=[]), 1, 1)
    with pytest.raises(ValueError, match=r"the suffix of mixed\['produces'\] must be one of '.js"):
        mixed_images(dict(SET, produces='a/last.pth'), [])
    with pytest.raises(TypeError, match='pipeline must be a list of transforms'):
        mixed_images(SET, CROP)
