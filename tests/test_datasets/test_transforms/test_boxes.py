"""Boxes by names of images, and through MMCV's and MMPretrain's resizes and crops."""

import json

import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.registry import DefaultScope
from mmpretrain.registry import TRANSFORMS

from mmtmix.datasets.transforms.boxes import AddBoxes, check_names, read_boxes

pytestmark = pytest.mark.host


def write(path, text):
    path.write_text(text, encoding='utf-8')
    return path


@pytest.mark.parametrize('key', ['a/b/x.jpg', 'b/x.jpg', 'x.jpg'])
def test_an_image_is_found_by_the_end_of_its_path(key):
    found = AddBoxes({key: [1, 2, 3, 4]})(dict(img_path='a/b/x.jpg'))['gt_bboxes']
    assert found.tolist() == [[1, 2, 3, 4]] and found.dtype == np.float32


def test_an_image_without_boxes_and_one_in_memory():
    assert AddBoxes({'x.jpg': [1, 2, 3, 4]})(dict(img_path='y.jpg'))['gt_bboxes'].shape == (0, 4)
    boxes = AddBoxes({'7': [[1, 2, 3, 4], [0, 0, 1, 1]]})(dict(sample_idx=7))['gt_bboxes']
    assert boxes.shape == (2, 4)


def test_a_name_of_several_images_is_refused():
    images = [dict(img_path=f'{folder}/{name}') for folder in 'ab' for name in ('x.jpg', 'y.jpg')]
    check_names({'a/x.jpg': [1, 2, 3, 4], 'b/x.jpg': [1, 2, 3, 4]}, images)
    check_names({'x.jpg': [1, 2, 3, 4]}, images[:2] * 2)  # one image, listed twice
    with pytest.raises(ValueError, match=r"'x.jpg' fit several images, a/x.jpg and b/x.jpg"):
        check_names({'x.jpg': [1, 2, 3, 4]}, images)


def test_boxes_follow_the_object_through_a_test_pipeline():
    image = np.zeros((40, 80, 3), np.uint8)
    image[10:20, 30:50] = 255
    pipeline = [
        dict(type='AddBoxes', boxes={'0': [30, 10, 50, 20]}),
        dict(type='ResizeEdge', scale=80, edge='short'),
        dict(type='ScaleBoxes'),
        dict(type='CenterCrop', crop_size=64),
        dict(type='Resize', scale=(32, 32)),
    ]
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        compose = Compose([TRANSFORMS.build(step) for step in pipeline])
    results = compose(dict(img=image, img_shape=(40, 80), sample_idx=0))
    rows, columns = np.nonzero(results['img'][..., 0] > 127)
    bright = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(results['gt_bboxes'][0], bright, atol=1)


def test_files_of_three_forms(tmp_path):
    boxes = {'x.jpg': [1, 2, 3, 4], 'y.jpg': [[0, 0, 1, 1]]}
    assert read_boxes(write(tmp_path / 'a.json', json.dumps(boxes))) == boxes
    write(tmp_path / 'images.txt', '1 001.Albatross/x.jpg\n2 002.Jay/y.jpg\n')
    cub = write(tmp_path / 'bounding_boxes.txt', '1 60.0 27.0 325.0 304.0\n2 1.0 2.0 3.0 4.0\n')
    assert read_boxes(cub) == {
        '001.Albatross/x.jpg': [60, 27, 385, 331],
        '002.Jay/y.jpg': [1, 2, 4, 6],
    }
    tiny = write(tmp_path / 'val_annotations.txt', 'val_0.JPEG\tn03444034\t0\t32\t44\t62\n')
    assert read_boxes(tiny) == {'val_0.JPEG': [0, 32, 44, 62]}


@pytest.mark.parametrize(
    ('name', 'text', 'message'),
    [
        ('a.json', '{"x.jpg": [3, 2, 1, 4]}', 'left < right'),
        ('a.json', '{"x.jpg": [1, 2]}', r"boxes of 'x.jpg' must be \[left"),
        ('a.json', '[]', 'must hold'),
        ('a.json', 'no', 'no JSON'),
        ('val_annotations.txt', 'val_0.JPEG n0\n', 'line 1: 6 columns'),
    ],
)
def test_files_of_another_form_are_refused(tmp_path, name, text, message):
    with pytest.raises(ValueError, match=message):
        read_boxes(write(tmp_path / name, text))


def test_no_file():
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read_boxes('nowhere.json')
