"""Published corrupted sets: what reaches the network, and with which labels."""

from types import SimpleNamespace

import numpy as np
import pytest
from mmcv.transforms import CenterCrop
from mmengine.config import Config
from mmpretrain.datasets import ResizeEdge
from PIL import Image

from mmtmix.apps.evaluate.published_sets import (
    build_published_loader,
    compare_classes,
    describe_published,
)
from mmtmix.apps.evaluate.suite import Evaluation

pytestmark = pytest.mark.host

RED = (255, 0, 0)
LOAD, PACK = dict(type='LoadImageFromFile'), dict(type='PackInputs')


def write_folders(root, names, size=32):
    """Write one red image per class."""
    for name in names:
        (root / name).mkdir(parents=True)
        Image.new('RGB', (size, size), RED).save(root / name / 'x.png')
    return root


def write_arrays(root, labels, image=RED):
    """Write a set of the form of CIFAR-10-C with one kind, whose images have one colour."""
    root.mkdir()
    labels = np.tile(np.asarray(labels), 5)
    np.save(root / 'labels.npy', labels)
    np.save(root / 'fog.npy', np.broadcast_to(np.uint8(image), (len(labels), 32, 32, 3)))
    return root


def evaluation_of(root, *steps, **dataset):
    """Make an evaluation of a test set of files, without a network."""
    dataset = dict(type='CustomDataset', data_root=str(root), **dataset)
    dataset['pipeline'] = [LOAD, *steps, PACK]
    loader = dict(batch_size=4, num_workers=0, dataset=dataset)
    cfg = Config(dict(default_scope='mmpretrain', test_dataloader=loader))
    evaluation = Evaluation(cfg, '', SimpleNamespace(classes=None))
    evaluation.predictions = SimpleNamespace(scores=np.zeros((1, 3)))
    return evaluation


def first(loader):
    return next(iter(loader))['inputs'][0]


def test_red_arrays_arrive_in_the_order_of_the_test_images(tmp_path):
    evaluation = evaluation_of(write_folders(tmp_path / 'val', 'abc'))
    folder = str(write_arrays(tmp_path / 'c', [0, 1, 2]))
    wanted = first(evaluation.loader)
    assert wanted[:, 0, 0].tolist() == [0, 0, 255]  # MMCV loads BGR
    found = first(build_published_loader(evaluation, folder, 'fog', 1))
    assert found.tolist() == wanted.tolist()
    declared = first(build_published_loader(evaluation, folder, 'fog', 1, 'rgb'))
    assert declared[:, 0, 0].tolist() == [255, 0, 0]


def test_red_files_arrive_in_the_order_of_arrays_in_memory(tmp_path):
    folder = tmp_path / 'c'
    write_folders(folder / 'fog' / '1', 'abc')
    arrays = write_arrays(tmp_path / 'clean', [0, 1, 2])
    evaluation = evaluation_of(arrays)
    evaluation.cfg.test_dataloader.dataset = dict(
        type='CIFARC', data_root=str(arrays), kind='fog', severity=1, pipeline=[PACK]
    )
    found = first(build_published_loader(evaluation, str(folder), 'fog', 1))
    assert found.tolist() == first(evaluation.loader).tolist()


def test_an_unknown_order_is_refused(tmp_path):
    evaluation = evaluation_of(write_folders(tmp_path / 'val', 'abc'))
    evaluation.cfg.test_dataloader.dataset.pipeline[0]['imdecode_backend'] = 'tifffile'
    folder = str(write_arrays(tmp_path / 'c', [0, 1, 2]))
    with pytest.raises(ValueError, match='channel order .* unknown .*--channel-order rgb or bgr'):
        build_published_loader(evaluation, folder, 'fog', 1)


@pytest.mark.parametrize(
    ('resize', 'crop'), [('mmpretrain.ResizeEdge', 'CenterCrop'), (ResizeEdge, CenterCrop)]
)
def test_a_resize_ahead_of_the_crop_is_left_out_however_it_is_named(tmp_path, resize, crop):
    steps = dict(type=resize, scale=64, edge='short'), dict(type=crop, crop_size=16)
    evaluation = evaluation_of(write_folders(tmp_path / 'val', 'abc'), *steps)
    write_folders(tmp_path / 'c' / 'fog' / '1', 'abc')
    loader = build_published_loader(evaluation, str(tmp_path / 'c'), 'fog', 1)
    assert [type(step) for step in loader.dataset.pipeline.transforms][1:2] == [CenterCrop]
    assert first(loader).shape == (3, 16, 16)


@pytest.mark.parametrize(
    ('names', 'given', 'note', 'error'),
    [
        ('abc', dict(), None, None),
        ('abc', dict(ann_file='list.txt', classes=['b', 'a', 'c']), None, 'other labels'),
        ('abc', dict(ann_file='list.txt', classes=['a', 'b', 'c']), None, None),
        ('abc', dict(ann_file='list.txt', classes=['x', 'y', 'z']), 'as numbers', None),
        ('ab', dict(), None, '2 folders of classes and the network 3'),
    ],
)
def test_classes_of_folders_are_compared_by_name(tmp_path, names, given, note, error):
    root = write_folders(tmp_path / 'val', 'abc')
    (root / 'list.txt').write_text('a/x.png 0\nb/x.png 1\nc/x.png 2\n')
    evaluation = evaluation_of(root, **given)
    write_folders(tmp_path / 'c' / 'fog' / '1', names)
    dataset = build_published_loader(evaluation, str(tmp_path / 'c'), 'fog', 1).dataset
    if error is not None:
        with pytest.raises(ValueError, match=error):
            compare_classes(evaluation, dataset, 'c')
        return
    notes = compare_classes(evaluation, dataset, 'c')
    assert not notes if note is None else note in notes[0]


@pytest.mark.parametrize(('labels', 'count'), [([0, 1, 2], 0), ([0, 0, 1], 1), ([0, 1, 2, 0], 1)])
def test_labels_of_arrays_that_may_differ_get_a_note(tmp_path, labels, count):
    evaluation = evaluation_of(write_folders(tmp_path / 'val', 'abc'))
    folder = str(write_arrays(tmp_path / 'c', labels))
    dataset = build_published_loader(evaluation, folder, 'fog', 1).dataset
    assert len(compare_classes(evaluation, dataset, folder)) == count


def test_permuted_labels_of_arrays_are_refused(tmp_path):
    evaluation = evaluation_of(write_folders(tmp_path / 'val', 'abc'))
    folder = str(write_arrays(tmp_path / 'c', [0, 2, 1]))
    dataset = build_published_loader(evaluation, folder, 'fog', 1).dataset
    with pytest.raises(ValueError, match='label 1 in the test set has label 2'):
        compare_classes(evaluation, dataset, folder)


def test_sets_of_other_labels_or_forms_have_other_descriptions(tmp_path):
    ten = write_arrays(tmp_path / 'ten', [0, 1])
    other = write_arrays(tmp_path / 'hundred', [0, 50])
    write_arrays(tmp_path / 'moved', [0, 1])
    write_folders(tmp_path / 'folders' / 'fog' / '1', 'ab')
    found = [
        describe_published(root, ['fog'], [1])
        for root in (ten, other, tmp_path / 'moved', tmp_path / 'folders', None)
    ]
    assert found[0] == found[2] and found[4] is None
    assert found[0] != found[1]
    assert (found[3]['form'], found[3]['classes']) == ('folders', 2)
