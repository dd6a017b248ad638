"""Folders of shards: their description, how far they are, and whether all is well."""

import json
import pickle
import shutil

import pytest

from mmtmix.datasets.mixed_shards import (
    DATASET_FILE,
    SETTINGS_FILE,
    MixedSet,
    read_dataset_file,
    shard_files,
    shard_name,
    verify_set,
)


def alter_image(path, record=0):
    """Change a byte in the middle of the file, where the images are."""
    data = bytearray(path.read_bytes())
    position = data.index(b'\x89PNG') + 60
    for _ in range(record):
        position = data.index(b'\x89PNG', position) + 60
    data[position] ^= 1
    path.write_bytes(data)


def test_names(make_set):
    assert [shard_name(n) for n in (0, 12345)] == [
        'shard-00000.safetensors',
        'shard-12345.safetensors',
    ]
    folder, _, _ = make_set()
    assert shard_files(folder) == [shard_name(n) for n in range(3)]
    assert shard_files(folder / 'nowhere') == []
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [DATASET_FILE, SETTINGS_FILE, *shard_files(folder)]
    )


def test_description_of_a_complete_set(make_set):
    content = read_dataset_file(make_set()[0])
    assert content['num'] == 11 and content['shards'] == [4, 4, 3] and content['num_mix'] == 3


@pytest.mark.parametrize('folder', ['', 'nowhere'])
def test_no_set(tmp_path, folder):
    with pytest.raises(FileNotFoundError) as error:
        read_dataset_file(tmp_path / folder)
    assert str(tmp_path / folder) in str(error.value)
    assert 'python tools/generate_mixed.py CONFIG --out DIR --num N' in str(error.value)


@pytest.mark.parametrize(
    ('settings', 'text'),
    [('{"num_shards": 7}', '3 of 7 shards'), ('{}', '3 shards'), ('{"num', '3 shards')],
)
def test_unfinished_set(make_set, settings, text):
    folder, _, _ = make_set()
    (folder / DATASET_FILE).unlink()
    (folder / SETTINGS_FILE).write_text(settings)
    with pytest.raises(FileNotFoundError, match=f'not finished: {text}.*same command again'):
        read_dataset_file(folder)
    assert 'not finished' in verify_set(folder)[0]


@pytest.mark.parametrize(
    ('change', 'text'),
    [
        ({'format': 3}, 'format 3, this version reads 1 and 2'),
        ({'format': True}, 'format True'),
        ({'encoding': 'raw'}, "encoding is 'raw', expected 'png' in format 1"),
        ({'num': 12}, 'num is 12, but the shards sum up to 11'),
        ({'num': '11'}, "num is '11'"),
        ({'num_mix': True}, 'num_mix is True'),
        ({'shards': []}, 'shards must'),
        ({'shards': [4, 4, 3.0]}, 'shards must'),
        ({'shards': [11, 0]}, 'shards must'),
        ({'classes': ['a']}, 'num_classes is 4, but 1 classes'),
        ({'channel_order': 'RGB'}, "channel_order is 'RGB'"),
        ({'settings_digest': None}, 'settings_digest is None'),
    ],
)
def test_damaged_description(make_set, change, text):
    folder, _, _ = make_set(described=change)
    with pytest.raises(ValueError, match=text) as error:
        read_dataset_file(folder)
    assert str(folder / DATASET_FILE) in str(error.value) and 'same command' in str(error.value)
    (told,) = verify_set(folder)
    assert told == str(error.value)


@pytest.mark.parametrize('content', [b'', b'{', b'[]', b'\xff\xfe'])
def test_description_that_is_no_json(make_set, content):
    folder, _, _ = make_set()
    (folder / DATASET_FILE).write_bytes(content)
    with pytest.raises(ValueError, match='is damaged: it'):
        read_dataset_file(folder)


def test_every_key_is_needed(make_set):
    folder, _, _ = make_set()
    content = read_dataset_file(folder)
    for key in content:
        less = {name: value for name, value in content.items() if name != key}
        (folder / DATASET_FILE).write_text(json.dumps(less))
        with pytest.raises(ValueError, match='is damaged'):
            read_dataset_file(folder)


def test_a_good_set_verifies(make_set):
    shown = []

    def progress(numbers):
        for number in numbers:
            shown.append(number)
            yield number

    folder, _, _ = make_set()
    assert verify_set(folder, progress) == [] and shown == [0, 1, 2]
    assert verify_set(str(folder)) == []


def test_all_bad_shards_are_told(make_set):
    folder, _, _ = make_set(sizes=(4, 4, 3, 3, 2, 2, 2))
    paths = [folder / shard_name(n) for n in range(7)]
    alter_image(paths[0], record=2)
    paths[1].write_bytes(paths[1].read_bytes()[:100])
    paths[2].unlink()
    shutil.copy(paths[5], paths[4])
    (folder / shard_name(9)).write_bytes(b'')
    errors = verify_set(folder)
    wanted = ['record 2 has been altered', 'truncated', 'is missing', 'number 5 under', 'not list']
    assert len(errors) == len(wanted)
    for number, text, error in zip((0, 1, 2, 4, 9), wanted, errors, strict=True):
        assert str(folder / shard_name(number)) in error and text in error


@pytest.mark.parametrize(
    ('change', 'text'),
    [
        ({'shards': [4, 3, 4]}, 'holds 4 records, dataset.json has 3'),
        ({'num_mix': 2}, 'holds 3 sources, dataset.json has 2'),
        ({'num_classes': 5, 'classes': None}, 'holds 4 classes, dataset.json has 5'),
        ({'settings_digest': 'else'}, 'other settings'),
        ({'format': 2}, 'of format 1, dataset.json has 2'),
    ],
)
def test_shards_that_the_description_contradicts(make_set, change, text):
    folder, _, _ = make_set(described=change)
    assert any(text in error for error in verify_set(folder))
    with pytest.raises(ValueError, match=text):
        MixedSet(folder).locate(4)


def test_shapes_that_differ_between_shards(make_set):
    folder, _, _ = make_set()
    other, _, _ = make_set(name='other', shape=(5, 5, 3))
    shutil.copy(other / shard_name(1), folder / shard_name(1))
    (error,) = verify_set(folder)
    assert '(9, 7, 3) from' in error and f'(5, 5, 3) from {folder / shard_name(1)}' in error


def test_a_long_set_is_opened_without_reading_a_shard(tmp_path, make_set):
    folder, _, _ = make_set()
    content = read_dataset_file(folder)
    sizes = [1000] * 1000
    (folder / DATASET_FILE).write_text(json.dumps(dict(content, num=10**6, shards=sizes)))
    for number in range(1000):
        (folder / shard_name(number)).write_bytes(b'')  # reading this would fail
    mixed = MixedSet(folder)
    assert len(mixed) == 10**6
    assert len(pickle.dumps(mixed)) < 20_000
    for outside in (-1, 10**6):
        with pytest.raises(IndexError, match='position'):
            mixed.locate(outside)


def test_missing_shards_are_named(make_set):
    folder, _, _ = make_set(sizes=[1] * 9)
    for number in range(1, 9):
        (folder / shard_name(number)).unlink()
    with pytest.raises(FileNotFoundError, match='shard-00001.*shard-00005.*and 3 more shards'):
        MixedSet(folder)
