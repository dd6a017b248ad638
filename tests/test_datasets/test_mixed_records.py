"""Mixed images as PNG, and the records that become a shard."""

import io
import multiprocessing

import numpy as np
import pytest
from PIL import Image

from mmtmix.datasets.mixed_shards import MixedRecords, decode_image, encode_image, pack_shard

FIELDS = [name for name in MixedRecords.__dataclass_fields__ if name != 'images']


@pytest.mark.parametrize(
    ('shape', 'order'), [((9, 7), 'rgb'), ((9, 7), 'bgr'), ((9, 7, 3), 'rgb'), ((9, 7, 3), 'bgr')]
)
def test_png_is_exact_and_shows_true_colours(shape, order):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    before = image.copy()
    data = encode_image(image, order)
    seen = Image.open(io.BytesIO(data))
    assert seen.format == 'PNG' and seen.mode == ('L' if len(shape) == 2 else 'RGB')
    colours = image[..., ::-1] if order == 'bgr' and len(shape) == 3 else image
    assert np.array_equal(np.asarray(seen), colours)
    back = decode_image(data, order)
    assert back.dtype == np.uint8 and np.array_equal(back, image)
    assert back.flags.writeable and back.flags.c_contiguous
    assert np.array_equal(image, before)


def test_red_is_red():
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    data = encode_image(red, 'rgb')
    assert Image.open(io.BytesIO(data)).getpixel((0, 0)) == (200, 0, 0)
    assert decode_image(data, 'bgr')[0, 0].tolist() == [0, 0, 200]


def test_strided_images_are_encoded_as_they_look():
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    for view in (image[:, ::-1], image[::2], image.transpose(1, 0, 2), image[..., ::-1]):
        assert np.array_equal(decode_image(encode_image(view, 'rgb'), 'rgb'), view)


@pytest.mark.parametrize(
    'image',
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 1), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros(4, np.uint8),
        [[1]],
    ],
)
def test_what_is_no_image(image):
    with pytest.raises(ValueError, match='image must be a uint8 array'):
        encode_image(image, 'rgb')


def test_what_cannot_be_decoded():
    for data in (b'', b'no png', encode_image(np.zeros((4, 4), np.uint8), 'rgb')[:20]):
        with pytest.raises(ValueError, match='^data is'):
            decode_image(data, 'rgb')
    file = io.BytesIO()
    Image.new('RGBA', (3, 3)).save(file, 'PNG')
    with pytest.raises(ValueError, match=r'\(3, 3, 4\)'):
        decode_image(file.getvalue(), 'rgb')


def test_unknown_channel_order():
    image = np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match="channel_order must be one of 'rgb', 'bgr', got 'RGB'"):
        encode_image(image, 'RGB')
    with pytest.raises(ValueError, match='channel_order'):
        decode_image(encode_image(image, 'rgb'), None)


@pytest.mark.parametrize('name', FIELDS)
def test_records_that_do_not_belong_together(make_records, name):
    good = getattr(make_records()[0], name)
    other = np.float64 if good.dtype != np.float64 else np.float32
    bad = [good[:-1], good.astype(other), good[..., None], good.tolist(), good[:0]]
    if name in ('flips', 'weights', 'classes'):
        bad.append(np.concatenate([good, good], axis=1))
    for value in bad:
        with pytest.raises(ValueError, match=f'^{name} must'):
            make_records(**{name: value})


@pytest.mark.parametrize('images', [[], [b''] * 5, ['png'] * 5, (b'png',) * 5])
def test_records_without_images(make_records, images):
    with pytest.raises(ValueError, match='^images must'):
        make_records(images=images)


def test_records_are_frozen(make_records):
    records, images = make_records()
    assert len(records) == len(images) == 5
    with pytest.raises(AttributeError):
        records.winners = None


@pytest.mark.parametrize(('number', 'digest'), [(-1, 'x'), (1.0, 'x'), (0, ''), (0, None)])
def test_arguments_of_pack_shard(make_records, number, digest):
    with pytest.raises((TypeError, ValueError), match='must be'):
        pack_shard(make_records()[0], number, digest)


def test_strided_fields_are_stored_as_they_look(make_records):
    plain, _ = make_records()
    strided = {name: np.asfortranarray(getattr(plain, name)) for name in FIELDS}
    assert strided['weights'].flags.c_contiguous is False
    assert pack_shard(make_records(**strided)[0], 0, 'x') == pack_shard(plain, 0, 'x')


def test_equal_records_give_equal_bytes(make_records):
    def pack(**kwargs):
        return pack_shard(make_records(**kwargs)[0], 1, 'digest')

    first = pack()
    assert first == pack()
    assert first != pack(seed=1)
    assert first != pack_shard(make_records()[0], 2, 'digest')
    # in another process, whose hash tables have another order
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        assert pool.apply(pack_shard, (make_records()[0], 1, 'digest')) == first
