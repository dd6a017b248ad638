"""A config's images without crops and flips."""

import copy

import pytest
from mmengine.config import Config

from mmtmix.datasets import FashionMNISTIdx, ResidentDataset, build_eval_view
from mmtmix.datasets.eval_view import eval_view_config

pytestmark = pytest.mark.host

CROP = [dict(type='RandomCrop', crop_size=20, padding=4), dict(type='PackInputs')]
PLAIN = [dict(type='PackInputs')]
RESIZE = [dict(type='Resize', scale=14), dict(type='PackInputs')]


def fashion(pipeline=None, **kwargs):
    kwargs = kwargs if pipeline is None else dict(kwargs, pipeline=pipeline)
    return dict(type='FashionMNISTIdx', **kwargs)


def config(**datasets):
    loaders = {f'{name}_dataloader': dict(dataset=dataset) for name, dataset in datasets.items()}
    return Config(dict(default_scope='mmpretrain') | loaders)


@pytest.mark.parametrize(
    ('datasets', 'expected'),
    [
        (dict(val=fashion(PLAIN), test=fashion(RESIZE)), PLAIN),
        (dict(test=fashion(RESIZE)), RESIZE),
        (dict(val=fashion(), test=fashion(RESIZE)), RESIZE),
        (dict(val=dict(type='ConcatDataset', datasets=[fashion(), fashion(PLAIN)])), PLAIN),
        (dict(val=dict(type='RepeatDataset', times=1, dataset=fashion(RESIZE))), RESIZE),
    ],
)
def test_the_pipeline_is_that_of_validation_or_else_of_the_test(datasets, expected):
    dataset, pipeline = eval_view_config(config(train=fashion(CROP), **datasets), 'train')
    assert pipeline == expected
    assert dataset == fashion(expected)


def resident(dataset):
    return dict(type='ResidentDataset', dataset=dataset, read_workers=1)


def repeat(dataset):
    return dict(type='RepeatDataset', times=2, dataset=dataset)


def concat(*datasets):
    return dict(type='ConcatDataset', datasets=datasets)


@pytest.mark.parametrize(
    ('wrapped', 'expected'),
    [
        (resident(fashion(CROP)), fashion(PLAIN)),
        (resident(concat(fashion(CROP))), concat(fashion(PLAIN))),
        (repeat(resident(fashion(CROP))), repeat(fashion(PLAIN))),
        (
            concat(fashion(CROP), repeat(resident(fashion(CROP)))),
            concat(fashion(PLAIN), repeat(fashion(PLAIN))),
        ),
        (dict(resident(fashion(CROP)), type=ResidentDataset), fashion(PLAIN)),
    ],
)
def test_a_resident_set_is_not_read_at_any_depth(wrapped, expected):
    cfg = config(train=wrapped, val=fashion(PLAIN))
    before = copy.deepcopy(cfg.to_dict())
    assert eval_view_config(cfg, 'train')[0] == expected
    assert cfg.to_dict() == before


def test_another_pipeline_can_be_given():
    cfg = config(train=fashion(CROP), val=fashion(PLAIN))
    assert eval_view_config(cfg, 'train', RESIZE)[0].pipeline == RESIZE
    assert eval_view_config(config(train=fashion(CROP)), 'train', RESIZE)[1] == RESIZE


def test_the_split_says_whose_images():
    cfg = config(train=fashion(CROP, indices=3), val=fashion(PLAIN, split='test', indices=5))
    assert eval_view_config(cfg, 'train')[0] == fashion(PLAIN, indices=3)
    assert eval_view_config(cfg, 'val')[0] == fashion(PLAIN, split='test', indices=5)


@pytest.mark.parametrize(
    'wrap',
    [
        repeat,
        lambda dataset: concat(dataset, dataset),
    ],
)
def test_wrapped_data_sets_are_changed_within_and_the_config_is_not(wrap):
    cfg = config(train=wrap(fashion(CROP)), val=fashion(PLAIN))
    before = copy.deepcopy(cfg.to_dict())
    dataset, _ = eval_view_config(cfg, 'train')
    assert dataset == wrap(fashion(PLAIN))
    assert cfg.to_dict() == before


@pytest.mark.parametrize(
    'datasets',
    [dict(train=fashion(CROP)), dict(val=fashion(PLAIN)), dict(train=fashion(), val=fashion())],
)
def test_a_config_without_images_or_pipeline_is_refused(datasets):
    with pytest.raises(ValueError, match='needs a train_dataloader for the images, and a val_d'):
        eval_view_config(config(**datasets), 'train')


def test_loaders_that_are_none_are_as_if_they_were_not_there():
    cfg = config(train=fashion(CROP), test=fashion(PLAIN))
    cfg.val_dataloader = None
    assert eval_view_config(cfg, 'train')[1] == PLAIN


def test_the_data_set_is_built_and_gives_the_same_images_each_time():
    cfg = config(train=fashion(CROP, indices=4), val=fashion(PLAIN))
    dataset, pipeline = build_eval_view(cfg, 'train')
    assert isinstance(dataset, FashionMNISTIdx) and len(dataset) == 4
    clean = FashionMNISTIdx(indices=4, serialize_data=False)
    for item, raw in zip(dataset, clean, strict=True):
        assert (item['inputs'][0].numpy() == raw['img']).all()
    assert pipeline == PLAIN


def test_missing_files_are_said_as_before_training(tmp_path):
    cfg = config(train=fashion(CROP, data_root=str(tmp_path)), val=fashion(PLAIN))
    with pytest.raises(FileNotFoundError, match=r'train_dataloader\.dataset: FashionMNISTIdx'):
        build_eval_view(cfg, 'train')
