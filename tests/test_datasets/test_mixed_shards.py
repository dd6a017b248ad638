"""Shards of mixed images: what is written, what is read, and what is noticed."""

import hashlib
import json
import multiprocessing
import pickle
import struct
import zlib

import numpy as np
import pytest
from safetensors.numpy import load, save

from mmtmix.datasets.mixed_shards import (
    MixedRecords,
    ShardReader,
    encode_image,
    pack_shard,
    shard_name,
)

FIELDS = [name for name in MixedRecords.__dataclass_fields__ if name != 'images']
CURE = 'run the generator again with the same command'


@pytest.fixture
def shard(tmp_path, make_records):
    """A shard on disk with what is in it: ``path, records, images``."""
    records, images = make_records()
    path = tmp_path / shard_name(2)
    path.write_bytes(pack_shard(records, 2, 'digest'))
    return path, records, images


def header_of(blob):
    """Read a container's header by hand: its length, then JSON."""
    (length,) = struct.unpack('<Q', blob[:8])
    return json.loads(blob[8 : 8 + length]), 8 + length


def span_of(blob, name):
    """The bytes of an array in a container."""
    header, start = header_of(blob)
    return tuple(start + bound for bound in header[name]['data_offsets'])


def rejects(path, text, **kwargs):
    with pytest.raises(ValueError) as error:
        ShardReader(path, **kwargs)
    assert str(path) in str(error.value) and CURE in str(error.value)
    assert text in str(error.value), error.value


def test_container_read_by_hand(shard):
    path, records, _ = shard
    blob = path.read_bytes()
    header, start = header_of(blob)
    assert max(entry['data_offsets'][1] for key, entry in header.items() if key[0] != '_') == (
        len(blob) - start
    )
    (metadata,) = header.pop('__metadata__').values()
    metadata = json.loads(metadata)
    assert metadata['number'] == 2 and metadata['settings_digest'] == 'digest'
    assert metadata['format'] == 1 and len(metadata['index_sha256']) == 64
    arrays = load(blob)
    assert set(arrays) == {'images', 'offsets', 'crc32', *FIELDS}
    for name in FIELDS:
        written = getattr(records, name)
        assert arrays[name].dtype == written.dtype and np.array_equal(arrays[name], written)
    assert arrays['images'].tobytes() == b''.join(records.images)
    for i, data in enumerate(records.images):
        first, last = arrays['offsets'][i : i + 2]
        assert arrays['images'][first:last].tobytes() == data
        assert arrays['crc32'][i] == zlib.crc32(data)


@pytest.mark.parametrize(
    ('shape', 'order'), [((9, 7), 'rgb'), ((9, 7, 3), 'rgb'), ((9, 7, 3), 'bgr')]
)
def test_round_trip(tmp_path, make_records, shape, order):
    records, images = make_records(shape=shape, channel_order=order)
    path = tmp_path / shard_name(0)
    path.write_bytes(pack_shard(records, 0, 'digest'))
    reader = ShardReader(str(path), 'digest', 0)
    assert (reader.num_records, reader.num_mix, reader.num_classes) == (5, 3, 4)
    assert reader.verify() == shape
    for i, image in enumerate(images):
        assert reader.image_bytes(i) == records.images[i]
        assert np.array_equal(reader.image(i, order), image)
        for name in FIELDS:
            assert np.array_equal(reader.value(name, i), getattr(records, name)[i])
    for name in FIELDS:
        assert np.array_equal(reader.column(name), getattr(records, name))
    for outside in (-1, 5):
        with pytest.raises(IndexError, match=f'no record {outside}'):
            reader.image(outside, order)
        with pytest.raises(IndexError, match=f'no record {outside}'):
            reader.value('winners', outside)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'shard-00007.*missing.*generator again'):
        ShardReader(tmp_path / shard_name(7))


def test_a_folder_is_no_reason_to_delete(tmp_path):
    with pytest.raises(OSError, match='cannot be read'):
        ShardReader(tmp_path)


def test_truncated_at_every_kind_of_place(shard):
    path, _, _ = shard
    blob = path.read_bytes()
    start = header_of(blob)[1]
    lengths = [0, 1, 7, 8, 9, start // 2, start - 1, start, start + 1, len(blob) // 2]
    lengths += [span_of(blob, 'images')[0] + 3, len(blob) - 1]
    for length in lengths:
        path.write_bytes(blob[:length])
        rejects(path, 'truncated or damaged')
    path.write_bytes(blob + b'\0')
    rejects(path, 'truncated or damaged')


def test_any_altered_byte_outside_the_images_is_noticed(shard):
    path, _, _ = shard
    blob = path.read_bytes()
    start = header_of(blob)[1]
    first, last = span_of(blob, 'images')
    flips = [(position, flip) for position in range(start) for flip in (0x01, 0x20, 0x80)]
    # the arrays are hashed: any bit of them is like any other
    flips += [(position, 0x01) for position in [*range(start, first, 5), *range(last, len(blob))]]
    for position, flip in flips:
        altered = bytearray(blob)
        altered[position] ^= flip
        path.write_bytes(altered)
        with pytest.raises(ValueError) as error:
            ShardReader(path)
        assert str(path) in str(error.value) and CURE in str(error.value), position


def test_an_altered_byte_of_an_image_is_noticed_where_it_is_read(shard):
    path, records, images = shard
    blob = path.read_bytes()
    first = span_of(blob, 'images')[0] + len(records.images[0])
    for position in range(first, first + len(records.images[1])):
        altered = bytearray(blob)
        altered[position] ^= 0x04
        path.write_bytes(altered)
        reader = ShardReader(path)  # reads no image
        assert np.array_equal(reader.image(0, 'rgb'), images[0])
        with pytest.raises(ValueError, match='image of record 1 has been altered') as error:
            reader.image(1, 'rgb')
        assert str(path) in str(error.value) and CURE in str(error.value)
    with pytest.raises(ValueError, match='record 1'):
        reader.verify()


def test_foreign_and_misplaced_shards(shard):
    path, _, _ = shard
    assert ShardReader(path, 'digest', 2).number == 2
    assert ShardReader(path).number == 2
    rejects(path, "other settings (digest 'digest', expected 'else')", settings_digest='else')
    rejects(path, 'shard number 2 under the name of 3', number=3)


def test_what_is_no_shard(tmp_path):
    path = tmp_path / shard_name(0)
    good = dict(format=1, number=0, settings_digest='x', statistics={})
    for metadata in (None, {'mmtmix': '[]'}, {'mmtmix': '{'}, {'format': '1'}):
        path.write_bytes(save({'images': np.zeros(3)}, metadata=metadata))
        rejects(path, 'no shard of mixed images')
    path.write_bytes(
        save({'images': np.zeros(3)}, metadata={'mmtmix': json.dumps(dict(good, format=3))})
    )
    rejects(path, 'format 3, expected 1 or 2')
    path.write_bytes(save({'images': np.zeros(3)}, metadata={'mmtmix': json.dumps(good)}))
    rejects(path, "the arrays ['images']")


FAULTS = [
    ('winners', lambda x: (x + 1) % 4, 'winners is not'),
    ('winners', lambda x: x + 4, 'winners is not'),
    ('weights', lambda x: x * 1.01, 'weights are'),
    ('weights', lambda x: np.float32([1.5, -0.5, 0]), 'weights are'),
    ('weights', lambda x: x * np.float32(np.nan), 'weights are'),
    ('classes', lambda x: x + 4, 'classes are'),
    ('classes', lambda x: x * 0 - 1, 'classes are'),
    ('sources', lambda x: x * 0 - 1, 'sources are'),
    ('targets', lambda x: x * np.float32(np.nan), 'targets are'),
    ('targets', lambda x: x * 9, 'targets are'),
]


@pytest.mark.parametrize(('name', 'alter', 'text'), FAULTS)
def test_verify_finds_senseless_records(tmp_path, make_records, name, alter, text):
    good, _ = make_records()
    values = getattr(good, name).copy()
    values[3] = alter(values[3])
    path = tmp_path / shard_name(0)
    path.write_bytes(pack_shard(make_records(**{name: values})[0], 0, 'x'))
    with pytest.raises(ValueError, match=f'record 3: {text}') as error:
        ShardReader(path).verify()
    assert str(path) in str(error.value) and CURE in str(error.value)


def test_either_of_two_equal_classes_may_win(tmp_path, make_records):
    targets = np.tile(np.float32([0.1, 0.4, 0.4, 0.1]), (5, 1))
    records, _ = make_records(targets=targets, winners=np.array([1, 2, 2, 1, 1]))
    path = tmp_path / shard_name(0)
    path.write_bytes(pack_shard(records, 0, 'x'))
    assert ShardReader(path).verify() == (9, 7, 3)


def test_verify_finds_images_that_differ_or_are_none(tmp_path, make_records):
    path = tmp_path / shard_name(0)
    images = make_records()[0].images
    other = encode_image(np.zeros((9, 7), np.uint8), 'rgb')
    for image, text in (
        (other, r'record 2: its image has the shape \(9, 7\)'),
        (b'x', 'record 2: data is no image'),
    ):
        records, _ = make_records(images=[*images[:2], image, *images[3:]])
        path.write_bytes(pack_shard(records, 0, 'x'))
        with pytest.raises(ValueError, match=text):
            ShardReader(path).verify()


def test_a_pickled_reader_opens_anew(shard):
    path, _, images = shard
    reader = ShardReader(path, 'digest')
    assert len(reader.column('winners')) == 5
    data = pickle.dumps(reader)
    assert len(data) < 1000
    copy = pickle.loads(data)
    assert copy._arrays is None
    assert np.array_equal(copy.image(4, 'rgb'), images[4])
    for method in ('fork', 'spawn'):
        with multiprocessing.get_context(method).Pool(1) as pool:
            assert np.array_equal(pool.apply(reader.image, (4, 'rgb')), images[4])
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match='truncated'):
        pickle.loads(data).image(0, 'rgb')


def test_index_digest_is_over_content_not_names_alone(shard):
    """The digest, made again by hand from the file."""
    path, _, _ = shard
    blob = path.read_bytes()
    metadata = json.loads(header_of(blob)[0]['__metadata__']['mmtmix'])
    digest = hashlib.sha256(b'[1, 2, "digest", {}]')
    arrays = load(blob)
    for name in sorted(set(arrays) - {'images'}):
        array = arrays[name]
        digest.update(f'{name} {array.dtype.str} {array.shape}\n'.encode() + array.tobytes())
    assert metadata['index_sha256'] == digest.hexdigest()
