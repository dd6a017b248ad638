"""The pictures of a set, for people."""

import pytest

from mmtmix.apps.generate import pictures, write_pictures
from mmtmix.apps.generate.shard_maker import Statistics
from mmtmix.datasets.mixed_shards import ShardReader, shard_name

NAMES = ['T-shirt/top', 'bag', 'Ankle boot']
SIZES = (4, 4, 2)


@pytest.fixture
def make_set(make_folder, make_records):
    """Write a whole set: ``make_set(['a', 'b', 'c'])``."""

    def make(names=NAMES):
        folder = make_folder()
        for number, size in enumerate(SIZES):
            records = make_records(size, images=[b'%d' % i for i in range(size)])
            folder.write(number, records, Statistics())
        folder.finish(names, 3, 2, 'rgb')
        return folder.path

    return make


def made(folder):
    paths = sorted(path for path in (folder / 'images').rglob('*') if path.is_file())
    return {path.relative_to(folder / 'images').as_posix(): path for path in paths}


@pytest.mark.parametrize(
    ('names', 'words'), [(NAMES, ['T-shirt-top', 'bag', 'Ankle-boot']), (None, ['0', '1', '2'])]
)
def test_pictures_are_named_by_place_and_classes_and_hold_what_is_stored(make_set, names, words):
    folder = make_set(names)
    assert write_pictures(folder) == folder / 'images'
    expected = {}
    for number, size in enumerate(SIZES):
        reader = ShardReader(folder / shard_name(number))
        for record in range(size):
            classes = '+'.join(words[label] for label in reader.value('classes', record))
            name = f'shard-0000{number}/0000{record}_{classes}.png'
            expected[name] = reader.image_bytes(record)
    assert {name: path.read_bytes() for name, path in made(folder).items()} == expected


def test_names_that_no_file_may_have_are_made_plain(make_set):
    folder = make_set(['../../etc', 'a b\n' * 20, 'été'])
    write_pictures(folder)
    for name in made(folder):
        words = name.split('_')[1].removesuffix('.png').split('+')
        assert set(words) <= {'etc', ('a-b-' * 20)[:30], 't'}


def test_a_shard_whose_pictures_are_there_is_left_alone(make_set):
    folder = make_set()
    write_pictures(folder)
    first, *_, last = made(folder).values()
    for path in folder.glob('images/shard-00001/*'):
        path.unlink()
    (folder / 'images/shard-00001').rmdir()
    times = {path: path.stat().st_mtime_ns for path in (first, last)}
    write_pictures(folder)
    assert len(made(folder)) == sum(SIZES)
    assert times == {path: path.stat().st_mtime_ns for path in times}


def test_a_shards_pictures_are_all_there_or_none(make_set, monkeypatch):
    folder = make_set()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        read = pictures.ShardReader.image_bytes

        def interrupted(reader, record):
            if (reader.number, record) == (1, 2):
                raise KeyboardInterrupt
            return read(reader, record)

        patch.setattr(pictures.ShardReader, 'image_bytes', interrupted)
        write_pictures(folder)
    assert [path.name for path in (folder / 'images').iterdir()] == ['shard-00000']
    write_pictures(folder)
    assert len(made(folder)) == sum(SIZES)


def test_a_set_that_is_not_complete_or_damaged_is_refused(make_folder, make_set):
    unfinished = make_folder()
    with pytest.raises(FileNotFoundError, match='not finished: 0 of 3 shards are there'):
        write_pictures(unfinished.path)
    assert not (unfinished.path / 'images').exists()
    path = make_set() / shard_name(1)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=f'{shard_name(1)}: it is truncated'):
        write_pictures(path.parent)
