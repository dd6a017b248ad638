"""Exports of a set, read back by the libraries that they are for."""

import json
import multiprocessing
import os
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from mmtmix.apps.generate import export
from mmtmix.apps.generate.export import export_set, parquets
from mmtmix.apps.generate.shard_maker import Statistics
from mmtmix.datasets.mixed_shards import MixedSet, encode_image, raw_images, shard_name

pytestmark = pytest.mark.host
SIZES = (4, 4, 2)
SHAPES = dict(grey=(5, 6), colour=(5, 6, 3))
NAMES = ['T-shirt/top', 'bag', 'Ankle boot']


@pytest.fixture
def make_set(make_folder, make_records):
    """Write a whole set of random images: ``make_set('raw', 'grey')``, in the order BGR."""

    def make(encoding='raw', colours='colour', names=NAMES, **described):
        folder, rng = make_folder(**described), np.random.default_rng(0)
        for number, size in enumerate(SIZES):
            pixels = rng.integers(0, 256, (size, *SHAPES[colours]), dtype=np.uint8)
            images = raw_images(pixels, 'bgr')
            if encoding == 'png':
                images = [encode_image(image, 'bgr') for image in pixels]
            weights = rng.dirichlet([1, 1], size).astype(np.float32)
            flips, finished = rng.integers(0, 2, (size, 2)) > 0, rng.integers(0, 2, size) > 0
            made = dict(images=images, weights=weights, flips=flips, finished=finished)
            folder.write(number, make_records(size, **made), Statistics(drawn=size))
        folder.finish(names, 3, 2, 'bgr')
        return folder.path

    return make


def assert_same(found, folder, position):
    """Compare a record, as a dict of plain values and arrays, with that of the set."""
    shard, record = MixedSet(folder).locate(position)
    image = shard.image(record, 'rgb')
    assert found['image'].dtype == np.uint8 and np.array_equal(found['image'], image)
    assert found['label'] == shard.value('winners', record)
    for name in ('sources', 'flips', 'weights', 'classes', 'targets', 'iterations', 'finished'):
        stored = shard.value(name, record)
        assert np.array_equal(np.asarray(found[name], stored.dtype), stored), name


def from_webdataset(folder):
    """Read all records by WebDataset."""
    import webdataset

    tars = [each['name'] for each in description(folder)['files']]
    stream = webdataset.WebDataset([str(folder / name) for name in tars], shardshuffle=False)
    for number, item in enumerate(stream.decode('pil')):
        assert item['__key__'] == f'{number:09d}'
        assert item['targets.npy'].dtype == np.float32
        own = dict(image=item['png'], label=item['cls'], targets=item['targets.npy'])
        yield item['json'] | own


def from_datasets(folder):
    """Read all records by datasets, from the folder alone."""
    import datasets

    cache = str(folder.parent / 'cache')
    items = datasets.load_dataset(str(folder), split='train', cache_dir=cache)
    assert items.features['label'].names == NAMES
    for number, item in enumerate(items):
        assert item.pop('index') == number
        yield item


def description(folder):
    return json.loads((folder / 'description.json').read_text())


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.mark.parametrize('colours', ['grey', 'colour'])
@pytest.mark.parametrize('encoding', ['raw', 'png'])
@pytest.mark.parametrize(
    ('kind', 'read'), [('webdataset', from_webdataset), ('parquet', from_datasets)]
)
def test_every_record_is_read_back_whole(make_set, monkeypatch, kind, read, encoding, colours):
    monkeypatch.setattr(parquets, '_ROWS', 3)  # several row groups in a shard
    folder = make_set(encoding, colours)
    out = export_set(folder, kind)
    assert out == folder / kind
    found = list(read(out))
    assert len(found) == 10
    for position, item in enumerate(found):
        pixels = item['image'].convert('L' if colours == 'grey' else 'RGB')
        assert kind == 'webdataset' or item['image'].mode == pixels.mode
        assert_same(item | dict(image=np.asarray(pixels)), folder, position)
    written = description(out)
    assert written['set'] == json.loads((folder / 'dataset.json').read_text())
    assert [each['records'] for each in written['files']] == list(SIZES)
    assert not [name for name in os.listdir(out) if name.startswith('.') or name == 'claim.json']


@pytest.mark.parametrize('kind', export.KINDS)
def test_an_interrupted_export_is_completed_by_the_same_call(make_set, monkeypatch, kind):
    folder, reached = make_set(), []

    def stopped(numbers):
        for number in numbers:
            if number == 2:
                raise KeyboardInterrupt
            yield number

    with pytest.raises(KeyboardInterrupt):
        export_set(folder, kind, progress=stopped)
    out = folder / kind
    assert not (out / 'description.json').exists()
    first = {name: (out / name).stat().st_ino for name in os.listdir(out) if '00000' in name}
    assert first
    half = out / ('.shard-00002.x1.tar' if kind == 'webdataset' else '.train-00002.x1.parquet')
    half.write_bytes(b'half')  # left by a kill
    export_set(folder, kind, progress=lambda numbers: reached.extend(numbers) or reached)
    assert {name: (out / name).stat().st_ino for name in first} == first
    assert reached == [0, 1, 2] and not half.exists()
    whole = export_set(folder, kind, folder.parent / 'whole')
    assert contents(out) == contents(whole)  # byte by byte


@pytest.mark.parametrize('kind', export.KINDS)
def test_files_that_are_cut_off_or_of_another_shard_are_made_again(make_set, kind):
    folder = make_set()
    out = export_set(folder, kind)
    before = contents(out)
    first, second, third = (out / each['name'] for each in description(out)['files'])
    first.write_bytes(first.read_bytes()[:-600])
    second.write_bytes(third.read_bytes())
    third.unlink()
    export_set(folder, kind)
    assert contents(out) == before


@pytest.mark.parametrize('kind', export.KINDS)
def test_folders_of_something_else_are_refused(make_set, tmp_path, kind):
    folder, out = make_set(), tmp_path / 'out'
    export_set(folder, kind, out)
    made = contents(out)
    (tmp_path / 'set').rename(tmp_path / 'first')
    other = make_set(seed=1)
    with pytest.raises(ValueError, match='an export of another set .*give another --export-dir'):
        export_set(other, kind, out)
    wrong = next(each for each in export.KINDS if each != kind)
    with pytest.raises(ValueError, match=f'holds an export as {kind!r}'):
        export_set(tmp_path / 'first', wrong, out)
    assert contents(out) == made
    (out / 'export.json').write_text('{')
    with pytest.raises(ValueError, match=r'export\.json is damaged'):
        export_set(other, kind, out)
    with pytest.raises(ValueError, match=r"is not empty, it holds 'dataset\.json'"):
        export_set(other, kind, other)
    assert not (other / 'claim.json').exists()


@pytest.mark.parametrize('kind', export.KINDS)
def test_two_exports_at_once_make_each_file_once(make_set, tmp_path, wait_for, capfd, kind):
    folder, log = make_set(), tmp_path / 'log'
    fork = multiprocessing.get_context('fork')
    go_on = fork.Event()

    def slowly(numbers):
        for number in numbers:
            with log.open('a') as file:
                file.write(f'{number}')
            go_on.wait(60)
            yield number

    first, second = (
        fork.Process(target=export_set, args=(folder, kind, None, each))
        for each in (slowly, noted)
    )
    first.start()
    wait_for(log)
    second.start()
    told = []
    wait_for(lambda: told.append(capfd.readouterr().out) or 'waiting for process' in ''.join(told))
    go_on.set()
    for process in (first, second):
        process.join(60)
        assert process.exitcode == 0
    assert log.read_text() == '012'
    out = folder / kind
    assert contents(out) == contents(export_set(folder, kind, tmp_path / 'alone'))
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    export_set(folder, kind)  # it is complete, and nothing is written again
    assert before == {path: path.stat().st_mtime_ns for path in out.iterdir()}


def noted(numbers):
    """Iterate of a process that has nothing left to export."""
    raise AssertionError(f'{numbers} are exported twice')


def test_the_old_description_is_gone_while_a_file_is_made_again(make_set):
    folder = make_set()
    out = export_set(folder, 'webdataset')
    path = out / 'shard-00001.tar'
    whole = path.read_bytes()
    path.write_bytes(whole[:-600])

    def seen(numbers):
        assert not (out / 'description.json').exists()
        assert not path.exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_set(folder, 'webdataset', progress=seen)
    export_set(folder, 'webdataset')
    assert path.read_bytes() == whole
    assert (out / 'description.json').exists()


def test_bad_input_is_refused_before_anything_is_written(make_set, tmp_path):
    folder, out = make_set(), tmp_path / 'out'
    with pytest.raises(ValueError, match=r"--export must be .*webdataset.*got 'zip'"):
        export_set(folder, 'zip', out)
    with pytest.raises(FileNotFoundError, match='There is no mixed set'):
        export_set(tmp_path / 'nowhere', 'webdataset', out)
    (folder / shard_name(1)).unlink()
    with pytest.raises(FileNotFoundError, match='lacks shard-00001'):
        export_set(folder, 'webdataset', out)
    (folder / 'dataset.json').unlink()
    (folder / 'settings.json').write_text('{"num_shards": 3}')
    with pytest.raises(FileNotFoundError, match='not finished: 2 of 3 shards'):
        export_set(folder, 'webdataset', out)
    assert not out.exists()


def test_a_missing_package_is_named_with_its_cure(make_set, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pyarrow.parquet', None)
    with pytest.raises(ImportError, match=r"pip install 'mmtmix\[datasets\]'"):
        export_set(make_set(), 'parquet')


def test_a_damaged_image_stops_the_export_without_a_file_of_its_shard(make_set):
    folder = make_set()
    path = folder / shard_name(1)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match='shard-00001.*altered'):
        export_set(folder, 'webdataset')
    tars = {path.name for path in (folder / 'webdataset').iterdir()}
    assert tars == {'export.json', 'shard-00000.tar'}


def test_names_that_are_not_unique_are_left_out_of_the_labels(make_set):
    import pyarrow.parquet

    out = export_set(make_set(names=['a', 'a', 'b']), 'parquet')
    schema = pyarrow.parquet.read_schema(out / 'train-00000-of-00003.parquet')
    info = json.loads(schema.metadata[b'huggingface'])['info']
    assert info['features']['label'] == dict(_type='Value', dtype='int64')


def test_tars_hold_nothing_of_the_machine(make_set):
    out = export_set(make_set(), 'webdataset')
    with tarfile.open(out / 'shard-00000.tar') as tar:
        for each in tar:
            assert (each.mtime, each.uid, each.uname, each.mode) == (0, 0, '', 0o644)
