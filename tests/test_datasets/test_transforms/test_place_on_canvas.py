"""PlaceOnCanvas: what is where, and that it stays there."""

import numpy as np
import pytest
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import TRANSFORMS

import mmtmix  # noqa: F401  (registers it)

pytestmark = pytest.mark.host


def place(image, number, **settings):
    transform = TRANSFORMS.build(dict(type='PlaceOnCanvas', **settings))
    return transform(dict(img=image, sample_idx=number))


@pytest.mark.parametrize('channels', [(), (1,), (3,)])
def test_an_image_lies_whole_on_a_black_canvas(channels):
    image = np.full((8, 8, *channels), 200, np.uint8)
    corners = set()
    for number in range(200):
        results = place(image, number, side=4, size=7)
        placed = results['img']
        assert placed.shape == (7, 7, *channels) and placed.dtype == np.uint8
        assert results['img_shape'] == (7, 7)
        rows, columns = np.nonzero(placed.reshape(7, 7, -1)[..., 0])
        top, left = rows.min(), columns.min()
        assert (placed[top : top + 4, left : left + 4] == 200).all()
        assert placed.astype(int).sum() == 200 * 16 * (channels or (1,))[0]
        assert results['gt_bboxes'].tolist() == [[left, top, left + 4, top + 4]]
        corners.add((top, left))
    assert len(corners) == 16
    assert (image == 200).all()


def test_the_place_follows_from_number_and_seed():
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    first = [place(image, number, side=4, size=28)['img'] for number in range(9)]
    again = [place(image, number, side=4, size=28)['img'] for number in range(9)]
    assert np.array_equal(first, again)
    other = [place(image, number, side=4, size=28, seed=1)['img'] for number in range(9)]
    assert not np.array_equal(first, other)


def test_a_side_as_large_as_the_canvas_leaves_an_image_as_it_is():
    image = np.random.default_rng(0).integers(256, size=(28, 28), dtype=np.uint8)
    assert np.array_equal(place(image, 3, side=28, size=28)['img'], image)


def test_a_data_set_numbers_its_images():
    images = [dict(img=np.full((8, 8), 255, np.uint8), gt_label=0) for _ in range(6)]

    class Six(BaseDataset):
        def load_data_list(self):
            return images

    pipeline = [dict(type='PlaceOnCanvas', side=4, size=28)]
    dataset = Six(ann_file='', metainfo=dict(classes=['a']), pipeline=pipeline)
    placed = {dataset[number]['img'].tobytes() for number in range(6)}
    assert len(placed) == 6
    assert np.array_equal(dataset[2]['img'], dataset[2]['img'])


@pytest.mark.parametrize('side', [0, 29])
def test_a_side_out_of_its_range_is_refused(side):
    with pytest.raises(
        ValueError, match=f'side must be an integer >= 1 and <= 28, got {side}; the'
    ):
        place(np.zeros((8, 8), np.uint8), 0, side=side, size=28)


@pytest.mark.parametrize('settings', [dict(side=4.5, size=28), dict(side=4, size=28, seed=-1)])
def test_what_is_no_number_of_pixels_is_refused(settings):
    with pytest.raises((TypeError, ValueError), match='(side|seed) must be an integer >= '):
        place(np.zeros((8, 8), np.uint8), 0, **settings)
