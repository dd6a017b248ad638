"""SetFolder: whose set is in it, what is missing, and files that are whole or not there."""

import errno
import json
import os

import numpy as np
import pytest

from mmtmix.apps.generate.shard_maker import Statistics
from mmtmix.datasets.mixed_shards import ShardReader, read_dataset_file, shard_name, verify_set

SIZES = (4, 4, 2)


@pytest.fixture
def fill(make_records):
    """Write shards: ``fill(folder, 0, 2)``."""

    def make(folder, *numbers):
        for number in numbers:
            statistics = Statistics(10 + number, finished=7, iterations=100, averages=2)
            folder.write(number, make_records(SIZES[number]), statistics)

    return make


def names(folder):
    return sorted(path.name for path in folder.path.iterdir())


def test_the_settings_are_there_from_the_start(make_folder):
    folder = make_folder()
    assert names(folder) == ['settings.json']
    content = json.loads((folder.path / 'settings.json').read_text())
    assert content['num_shards'] == 3
    assert content['digest'] == folder.digest
    assert content['settings'] == folder.described == dict(num=10, mixer=dict(k=2))
    assert content['raw_bytes'] == folder.raw_bytes == make_folder().raw_bytes == 64 * 64 * 3


def test_what_is_there_and_what_is_missing(make_folder, fill):
    folder = make_folder()
    assert (folder.present(), folder.missing()) == ([], [0, 1, 2])
    fill(folder, 1)
    assert (folder.present(), folder.missing()) == ([1], [0, 2])
    again = make_folder()
    assert (again.present(), again.missing()) == ([1], [0, 2])


def test_a_set_of_other_settings_is_refused_with_their_names(make_folder, fill):
    fill(make_folder(), 0)
    before = (make_folder().path / 'settings.json').read_bytes()
    with pytest.raises(ValueError, match='generated otherwise') as error:
        make_folder(num=7, mixer=dict(k=3), seed=1)
    lines = str(error.value).splitlines()
    assert [line.strip() for line in lines[1:-1]] == [
        'mixer.k: 2 there, 3 now',
        'num: 10 there, 7 now',
        "seed: 'nothing' there, 1 now",
    ]
    assert lines[-1].startswith('Give another folder') and 'no shard yet' not in lines[-1]
    assert (make_folder().path / 'settings.json').read_bytes() == before


def test_a_set_without_shards_says_how_to_start_another(make_folder):
    path = make_folder().path / 'settings.json'
    with pytest.raises(ValueError, match='no shard yet: without .*settings.json this one'):
        make_folder(num=7)
    path.unlink()
    assert make_folder(num=7).missing() == [0, 1]


def test_a_number_written_otherwise_is_named_and_no_shard_is_blamed(make_folder, fill):
    fill(make_folder(alpha=1), 0)
    with pytest.raises(ValueError, match='generated otherwise:\n  alpha: 1 there, 1.0 now'):
        make_folder(alpha=1.0)


def test_a_shard_of_another_set_is_refused_by_name(make_folder, fill):
    fill(make_folder(), 0, 1)
    path = make_folder().path
    (path / 'settings.json').unlink()
    with pytest.raises(ValueError, match=r'shard-00000.*generated with other settings'):
        make_folder(seed=5)


def test_a_shard_under_another_number_is_refused_by_name(make_folder, fill):
    folder = make_folder()
    fill(folder, 0)
    (folder.path / shard_name(0)).rename(folder.path / shard_name(1))
    with pytest.raises(ValueError, match='shard-00001.*shard number 0 under the name of 1'):
        make_folder()


@pytest.mark.parametrize('content', ['{"settings": ', '{}', '[]', '\xff'])
def test_damaged_settings_are_named_with_a_cure(make_folder, content):
    path = make_folder().path / 'settings.json'
    path.write_bytes(content.encode('latin1'))
    with pytest.raises(ValueError, match=r'settings\.json is damaged .*; delete it and run again'):
        make_folder()
    path.unlink()
    make_folder()


def test_altered_settings_are_damaged_and_not_those_of_another_set(make_folder, fill):
    fill(make_folder(), 0)
    path = make_folder().path / 'settings.json'
    path.write_text(path.read_text().replace('"k": 2', '"k": 3'))
    with pytest.raises(ValueError, match=r'settings\.json is damaged \(it has been altered'):
        make_folder()


def test_no_bit_of_a_finished_description_can_be_altered_unseen(make_folder, fill):
    folder = make_folder()
    fill(folder, 0, 1, 2)
    folder.finish('xyz', 3, 2, 'bgr')
    path = folder.path / 'dataset.json'
    data, described = path.read_bytes(), read_dataset_file(folder.path)
    for place in range(len(data)):
        altered = bytearray(data)
        altered[place] ^= 1 << place % 7
        path.write_bytes(altered)
        try:
            assert read_dataset_file(folder.path) == described  # as if in the space between words
        except ValueError as error:
            assert f'{path} is damaged' in str(error)


def test_only_temporaries_of_the_given_shard_are_deleted(make_folder, fill):
    folder = make_folder()
    fill(folder, 0)
    for number in (0, 1, 2):
        (folder.path / f'.shard-0000{number}.abc.safetensors').touch()
    (folder.path / 'notes.txt').touch()
    folder.clean(1)
    temporaries = ['.shard-00000.abc.safetensors', '.shard-00002.abc.safetensors']
    left = [*temporaries, 'notes.txt', 'settings.json', shard_name(0)]
    assert names(folder) == sorted(left)


@pytest.mark.parametrize('code', [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_says_what_is_complete_and_how_to_go_on(make_folder, fill, monkeypatch, code):
    folder = make_folder()
    fill(folder, 0)

    def full(handle):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, 'fsync', full)
        with pytest.raises(OSError) as error:
            fill(folder, 1)
    assert error.value.errno == code
    text = str(error.value)
    for part in (
        f'{folder.path / shard_name(1)} cannot be written: {os.strerror(code)}',
        '. 1 of 3 shards are complete, this one takes 1,656 bytes; make room and run the same',
    ):
        assert part in text
    assert names(folder) == ['settings.json', shard_name(0)]
    fill(folder, 1)
    assert folder.missing() == [2]


def test_a_shard_is_the_records_and_says_whose_it_is(make_folder, fill, make_records):
    folder = make_folder()
    fill(folder, 2)
    reader = ShardReader(folder.path / shard_name(2), folder.digest, 2)
    assert reader.statistics == dict(drawn=12, finished=7, iterations=100, averages=2)
    assert reader.num_records == 2
    assert reader.image_bytes(1) == make_records(2).images[1]
    assert (reader.column('sources') == make_records(2).sources).all()


@pytest.mark.parametrize(
    ('classes', 'named'), [('xyz', ['x', 'y', 'z']), ('xy', None), (None,) * 2]
)
def test_a_finished_set_is_described_and_good(make_folder, fill, classes, named):
    folder = make_folder()
    fill(folder, 0, 1, 2)
    assert not folder.is_complete
    folder.finish(classes, 3, 2, 'bgr')
    assert folder.is_complete
    content = read_dataset_file(folder.path)
    assert content.pop('made_with').startswith('mmtmix ')
    assert len(content.pop('sha256')) == 64
    assert content == dict(
        format=1,
        num=10,
        shards=[4, 4, 2],
        settings_digest=folder.digest,
        classes=named,
        num_classes=3,
        num_mix=2,
        channel_order='bgr',
        settings=dict(num=10, mixer=dict(k=2)),
        statistics=dict(drawn=33, finished=21, iterations=300, averages=6),
    )
    assert verify_set(folder.path) == []
    (folder.path / shard_name(1)).unlink()
    assert not make_folder().is_complete


def test_statistics_are_not_taken_from_a_damaged_shard(make_folder, fill):
    folder = make_folder()
    fill(folder, 0, 1)
    assert folder.statistics() == Statistics(21, finished=14, iterations=200, averages=4)
    path = folder.path / shard_name(1)
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"drawn\\": 11', b'"drawn\\": 91'))
    assert path.read_bytes() != content
    with pytest.raises(ValueError, match=f'{shard_name(1)}: its index has been altered'):
        folder.statistics()
    with pytest.raises(ValueError, match='altered'):
        folder.finish(None, 3, 2, 'rgb')
    assert names(folder) == ['settings.json', shard_name(0), shard_name(1)]


def without_raw_bytes(path):
    """Change the settings into those of an older version, which stored PNGs alone."""
    content = json.loads(path.read_text())
    del content['raw_bytes']
    path.write_text(json.dumps(content))


@pytest.mark.parametrize('lost', [False, True])
def test_a_set_that_was_begun_with_pngs_keeps_to_them(make_folder, fill, lost):
    folder = make_folder()
    fill(folder, 1)
    path = folder.path / 'settings.json'
    path.unlink() if lost else without_raw_bytes(path)
    assert make_folder().raw_bytes == 0
    assert make_folder().raw_bytes == 0  # also when the settings are there again


def test_shards_of_both_formats_make_no_set(make_folder, make_records, fill):
    folder = make_folder()
    fill(folder, 0)
    folder.write(1, make_records(4, images=np.zeros((4, 2, 2), np.uint8)), Statistics())
    fill(folder, 2)
    with pytest.raises(
        ValueError, match=f'{shard_name(1)}: it is of format 2, the first shard of'
    ):
        folder.finish('xyz', 3, 2, 'rgb')
    assert not folder.is_complete


def test_a_set_of_raw_pixels_names_its_encoding(make_folder, make_records):
    folder = make_folder()
    for number, size in enumerate(SIZES):
        records = make_records(size, images=np.full((size, 4, 4), number, np.uint8))
        folder.write(number, records, Statistics())
    folder.finish('xyz', 3, 2, 'rgb')
    content = read_dataset_file(folder.path)
    assert (content['format'], content['encoding']) == (2, 'raw')
    assert verify_set(folder.path) == []


@pytest.mark.parametrize('raw_bytes', ['1', -1, 0.5, None])
def test_a_size_that_is_none_is_damage(make_folder, raw_bytes):
    path = make_folder().path / 'settings.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | dict(raw_bytes=raw_bytes)))
    with pytest.raises(ValueError, match=r'settings\.json is damaged \(raw_bytes'):
        make_folder()
