"""Shards of raw pixels: what is written, what is read, and what is noticed."""

import hashlib
import json
import os
import pickle
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from safetensors.numpy import load, save

from mmtmix.datasets.mixed_shards import ShardReader, pack_shard, raw_images, shard_name
from mmtmix.datasets.mixed_shards.container import map_arrays

CURE = 'run the generator again with the same command'


@pytest.fixture(params=[((9, 7), 'rgb'), ((9, 7, 3), 'rgb'), ((9, 7, 3), 'bgr')], ids=str)
def shard(tmp_path, make_records, request):
    """A shard on disk with what is in it: ``path, images, order, records``."""
    shape, order = request.param
    records, images = make_records(shape=shape, channel_order=order, raw=True)
    path = tmp_path / shard_name(2)
    path.write_bytes(pack_shard(records, 2, 'digest'))
    return path, np.stack(images), order, records


def test_container_read_by_another_reader(shard):
    path, images, order, records = shard
    arrays = load(path.read_bytes())
    assert set(arrays) == {'images', 'crc32', *records.__dataclass_fields__}
    assert np.array_equal(arrays['images'], images[..., ::-1] if order == 'bgr' else images)
    for image, checksum in zip(arrays['images'], arrays['crc32'], strict=True):
        assert zlib.crc32(image.tobytes()) == checksum
    metadata, found = map_arrays(path)
    header = json.loads(metadata['mmtmix'])
    assert header['format'] == 2
    digest = hashlib.sha256(b'[2, 2, "digest", {}]')
    for name in [*sorted(set(arrays) - {'images'}), 'images']:
        array = arrays[name]
        digest.update(f'{name} {array.dtype.str} {array.shape}\n'.encode())
        digest.update(array.tobytes() if name != 'images' else b'')
        assert np.array_equal(found[name], array) and found[name].dtype == array.dtype
        assert not found[name].flags.writeable
    assert header['index_sha256'] == digest.hexdigest()


def test_one_or_many_images_are_those_that_were_written(shard):
    path, images, order, records = shard
    reader = ShardReader(path, 'digest', 2)
    assert reader.format == 2 and reader.verify() == images.shape[1:]
    other = 'rgb' if order == 'bgr' else 'bgr'
    for order_read, expected in ((order, images), (other, images[..., ::-1])):
        expected = images if images.ndim == 3 else expected
        rows = np.array([3, 0, 0, 4])
        found = reader.images(rows, order_read)
        assert np.array_equal(found, expected[rows])
        for record, image in enumerate(expected):
            assert np.array_equal(reader.image(record, order_read), image)
        reader.image(1, order_read)[:] = 0  # does not reach the file
        found[:] = 0
    assert np.array_equal(reader.image(1, order), images[1])
    png = cv2.imdecode(np.frombuffer(reader.png(1), np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(png if order == 'bgr' or png.ndim == 2 else png[..., ::-1], images[1])
    assert reader.image_bytes(1) == records.images[1].tobytes()
    copy = pickle.loads(pickle.dumps(reader))
    assert np.array_equal(copy.images(np.arange(5), order), images)
    assert len(reader.images(np.zeros(0, dtype=np.int64), order)) == 0
    for outside in (-1, 5):
        with pytest.raises(IndexError, match=f'no record {outside}'):
            reader.images(np.array([0, outside]), order)
    for read in (reader.image, lambda record, order: reader.images(np.array([record]), order)):
        with pytest.raises(ValueError, match='channel_order'):
            read(0, 'RGB')


def test_any_altered_byte_is_noticed(shard):
    path, images, order, _ = shard
    blob = path.read_bytes()
    start = 8 + int.from_bytes(blob[:8], 'little')
    entry = json.loads(blob[8:start])['images']['data_offsets']
    first, last = (start + bound for bound in entry)
    size = images[0].nbytes
    # each byte of the header, where shapes are, and some of the rest
    places = [*range(start), *range(start, first, 29), *range(last, len(blob), 29)]
    for place in [*places, *range(first + size, first + 2 * size, 5)]:
        altered = bytearray(blob)
        altered[place] ^= 0x04
        path.write_bytes(altered)
        if not first <= place < last:
            with pytest.raises(ValueError) as error:
                ShardReader(path)
            assert str(path) in str(error.value) and CURE in str(error.value), place
            continue
        reader = ShardReader(path)  # reads no image
        assert np.array_equal(reader.images(np.array([0, 2]), order), images[[0, 2]])
        for read in (reader.image, reader.images):
            with pytest.raises(ValueError, match='image of record 1 has been altered') as error:
                read(np.array([2, 1]) if read == reader.images else 1, order)
            assert str(path) in str(error.value) and CURE in str(error.value)
        with pytest.raises(ValueError, match='record 1'):
            reader.verify()


@pytest.mark.parametrize('name', ['images', 'crc32'])
def test_an_array_of_a_foreign_type_is_damage(shard, name):
    path = shard[0]
    metadata, _ = map_arrays(path)
    arrays = load(path.read_bytes())
    arrays[name] = arrays[name].astype(np.float16)
    path.write_bytes(save(arrays, metadata=metadata))
    with pytest.raises(ValueError, match='its index has been altered'):
        ShardReader(path)


def test_an_open_shard_takes_no_file_descriptor(shard):
    folder = Path('/proc/self/fd')
    if not folder.is_dir():
        pytest.skip('the kernel lists descriptors on Linux alone')
    reader = ShardReader(shard[0])
    open_files = [os.readlink(each) for each in folder.iterdir() if each.exists()]
    assert not [each for each in open_files if each == reader.path]
    assert reader.path in Path('/proc/self/maps').read_text()


@pytest.mark.parametrize(
    'images', [np.zeros((2, 3, 4, 1), np.uint8), np.zeros((2, 3, 4)), np.zeros((3, 4), np.uint8)]
)
def test_what_is_no_batch_of_images_is_refused(images, make_records):
    with pytest.raises(ValueError, match=r'images must be a uint8 array of shape \(N, H, W\)'):
        raw_images(images, 'rgb')
    with pytest.raises(ValueError, match='images must be a uint8 array'):
        make_records(2, images=images)
