"""A teacher's logits for a task's images, against plain torch on the same pictures in RGB."""

import itertools
import json
import pickle

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.registry import DefaultScope
from mmpretrain.datasets import CIFAR10
from mmpretrain.models.utils import ClsDataPreprocessor
from mmpretrain.registry import DATASETS

from mmtmix.datasets.mixed_shards import MixedRecords, encode_image, pack_shard
from mmtmix.models import AttentiveMix, FrozenTeacher
from mmtmix.models.teachers import build_teacher

pytestmark = pytest.mark.host

TASK = dict(mean=[10.0, 60.0, 200.0], std=[40.0, 50.0, 70.0])
KINDS = ('files', 'arrays', 'mixed_rgb', 'mixed_bgr')
PACK = dict(type='PackInputs')
COUNT = 8


@pytest.fixture(scope='module')
def pictures():
    """Pictures in RGB with little red, uint8 (8, 32, 32, 3)."""
    found = np.random.default_rng(0).integers(0, 256, (COUNT, 32, 32, 3), dtype=np.uint8)
    found[..., 0] //= 4
    return found


@pytest.fixture(scope='module')
def data(pictures, tmp_path_factory):
    """Settings of data sets of the same pictures, by how they keep them."""
    root = tmp_path_factory.mktemp('data')
    found = dict(files=write_files(root / 'files', pictures))
    found['arrays'] = write_cifar(root / 'cifar', pictures)
    for order in ('rgb', 'bgr'):
        found[f'mixed_{order}'] = write_mixed(root / order, pictures, order)
    return found


def write_files(folder, pictures):
    for number, picture in enumerate(pictures):
        (folder / f'{number}').mkdir(parents=True)
        cv2.imwrite(str(folder / f'{number}' / '0.png'), picture[..., ::-1])  # takes BGR
    return dict(
        type='CustomDataset',
        data_root=str(folder),
        pipeline=[dict(type='LoadImageFromFile'), PACK],
    )


def write_cifar(folder, pictures):
    batches = folder / 'cifar-10-batches-py'
    batches.mkdir(parents=True)
    content = dict(data=pictures.transpose(0, 3, 1, 2).reshape(COUNT, -1), labels=[0] * COUNT)
    for name in (*(f'data_batch_{i}' for i in range(1, 6)), 'test_batch'):
        (batches / name).write_bytes(pickle.dumps(content))
    return dict(type='CIFAR10', data_root=str(folder), split='test', pipeline=[PACK])


def write_mixed(folder, pictures, order):
    images = pictures if order == 'rgb' else pictures[..., ::-1]
    two = np.zeros((COUNT, 2), dtype=np.int64)
    records = MixedRecords(
        images=[encode_image(image, order) for image in images],
        sources=two,
        flips=two.astype(bool),
        weights=np.full((COUNT, 2), 0.5, dtype=np.float32),
        classes=two,
        targets=np.full((COUNT, 4), 0.25, dtype=np.float32),
        winners=two[:, 0],
        iterations=two[:, 0],
        finished=two[:, 0].astype(bool),
    )
    folder.mkdir()
    digest = '0' * 64
    (folder / 'shard-00000.safetensors').write_bytes(pack_shard(records, 0, digest))
    described = dict(format=1, num=COUNT, shards=[COUNT], settings_digest=digest, classes=None)
    described |= dict(num_classes=4, num_mix=2, channel_order=order, settings={}, statistics={})
    (folder / 'dataset.json').write_text(json.dumps(described))
    return dict(type='MixedImages', data_root=str(folder), pipeline=[PACK])


def seen_order(kind, to_rgb):
    """The order that a network gets, by the rules of the hosts alone."""
    is_rgb = kind in ('arrays', 'mixed_rgb')
    return 'rgb' if is_rgb != to_rgb else 'bgr'


@pytest.mark.parametrize('task', KINDS)
def test_a_teacher_sees_the_tasks_pictures_in_its_own_order(
    task, start_run, data, pictures, teacher_args, monkeypatch
):
    monkeypatch.setattr(CIFAR10, '_check_integrity', lambda self: True)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        images = DATASETS.build(dict(data[task], test_mode=True))
    raw = default_collate([images[number] for number in range(COUNT)])
    args = teacher_args()
    config, own = args['config'], args['config']['data_preprocessor']
    rgb = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    mean, std = (torch.tensor(own[name])[:, None, None] for name in ('mean', 'std'))
    network = FrozenTeacher(**args).model
    with torch.no_grad():
        expected = {
            'rgb': network((rgb - mean) / std, mode='tensor'),
            'bgr': network((rgb.flip(1) - mean) / std, mode='tensor'),
        }
    assert (expected['rgb'] - expected['bgr']).abs().max() > 0.1
    for task_swaps, teacher_swaps, kind in itertools.product((0, 1), (0, 1), KINDS):
        preprocessor = dict(TASK, to_rgb=bool(task_swaps))
        inputs = ClsDataPreprocessor(**preprocessor)(dict(raw))['inputs']
        config['data_preprocessor'] = dict(own, to_rgb=bool(teacher_swaps))
        config['train_dataloader'] = dict(dataset=data[kind])
        start_run(dict(train_dataloader=dict(dataset=data[task]), data_preprocessor=preprocessor))
        logits = FrozenTeacher(**args)(inputs)
        wanted = expected[seen_order(kind, bool(teacher_swaps))]
        torch.testing.assert_close(logits, wanted, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize('to_rgb', [False, True])
def test_grey_images_need_no_order(teacher_args, to_rgb, start_run):
    raw = torch.randint(256, (4, 1, 16, 16), dtype=torch.uint8)
    args = teacher_args(in_channels=1, to_rgb=to_rgb)
    own = args['config']['data_preprocessor']
    teacher = FrozenTeacher(**args)
    with torch.no_grad():
        expected = teacher.model((raw - own['mean'][0]) / own['std'][0], mode='tensor')
    task = dict(mean=[10.0], std=[40.0], to_rgb=True)
    own = dict(type='nobody.Knows', pipeline=[PACK])
    start_run(dict(train_dataloader=dict(dataset=own), data_preprocessor=task))
    inputs = ClsDataPreprocessor(**task)(dict(inputs=raw))['inputs']
    torch.testing.assert_close(teacher(inputs), expected, atol=1e-3, rtol=1e-3)
    teacher.check_channels()


OWN = dict(type='own.Pictures', pipeline=[PACK])


def test_where_an_order_is_unknown_it_is_asked_for(teacher_args, data, start_run):
    args, images = teacher_args(), torch.randn(2, 3, 16, 16)
    start_run(dict(train_dataloader=dict(dataset=data['arrays']), data_preprocessor=TASK))
    with pytest.raises(ValueError, match="teacher's own .*has no data set.*channel_order='rgb'"):
        build_teacher(args)(images)
    with pytest.raises(ValueError, match="the teacher's own"):
        AttentiveMix(teacher=args).load()  # before any image
    given = build_teacher(dict(args, channel_order='rgb'))(images)
    assert not torch.equal(given, build_teacher(dict(args, channel_order='bgr'))(images))
    start_run(dict(train_dataloader=dict(dataset=OWN), data_preprocessor=TASK))
    with pytest.raises(ValueError, match=r"task's images .*own.Pictures.*input_stats=dict\("):
        build_teacher(dict(args, channel_order='rgb'))(images)
    stats = dict(TASK, channel_order='rgb')
    told = build_teacher(dict(args, channel_order='rgb', input_stats=stats))
    assert torch.equal(told(images), given)


def test_the_same_unknown_data_set_on_both_sides_needs_no_name(teacher_args, start_run):
    args, images = teacher_args(), torch.randn(2, 3, 16, 16)
    known = FrozenTeacher(**args, channel_order='rgb', input_stats=dict(TASK, channel_order='rgb'))
    args['config']['train_dataloader'] = dict(dataset=OWN)
    other = dict(OWN, data_root='elsewhere')
    start_run(dict(train_dataloader=dict(dataset=other), data_preprocessor=TASK))
    assert torch.equal(FrozenTeacher(**args)(images), known(images))


def test_outside_of_a_run_nothing_is_asked_for(make_teacher):
    teacher, images = make_teacher(), torch.randn(2, 3, 16, 16)
    assert torch.equal(teacher(images), teacher.model(images, mode='tensor'))
    teacher.check_channels()
