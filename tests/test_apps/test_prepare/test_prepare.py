"""Getting data sets from archives in the official formats, and every way that can go wrong."""

import os
import shutil
from dataclasses import replace

import pytest
from mmpretrain.datasets import FGVCAircraft, Flowers102, OxfordIIITPet, StanfordCars
from mmpretrain.registry import DATASETS

from mmtmix.apps.prepare import DATA_SETS, prepare
from mmtmix.apps.prepare.prepare import _indented
from mmtmix.datasets import ImageNet32, TinyImageNet
from mmtmix.datasets.sources import check_contents, unpacking
from mmtmix.datasets.sources.file_formats import Text

pytestmark = pytest.mark.host

UNPACKED = [name for name in DATA_SETS if name != 'imagenet']


def quiet(text):
    pass


def store_in(store, root):
    shutil.copytree(store, root, dirs_exist_ok=True)


def tree(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob('*') if p.is_file()}


@pytest.mark.parametrize('name', UNPACKED)
def test_archives_in_the_folder_are_unpacked_and_nothing_else_happens_again(small, tmp_path, name):
    data_set, store = small(name, urls=False)
    root = tmp_path / 'root'
    store_in(store, root)
    reported = []
    assert prepare(data_set, root, offline=True, report=reported.append) == root
    assert not check_contents(data_set.all_contents, root)
    assert any(line.startswith('Unpacking') for line in reported) == (name != 'fashion_mnist')
    before, again = tree(root), []
    prepare(data_set, root, offline=True, deep=True, report=again.append)
    assert tree(root) == before and not any('npacking' in line for line in [*before, *again])


@pytest.mark.parametrize('name', [n for n in UNPACKED if DATA_SETS[n].sources[0].url])
def test_what_has_an_address_is_downloaded(small, tmp_path, name):
    data_set, _ = small(name)
    prepare(data_set, tmp_path / 'root', report=quiet)
    assert not check_contents(data_set.all_contents, tmp_path / 'root')
    assert not [file for file in tree(tmp_path / 'root') if file.endswith('.part')]


@pytest.mark.parametrize('name', UNPACKED)
def test_offline_it_says_every_file_and_where_to_put_it(small, tmp_path, name):
    data_set, _ = small(name)
    with pytest.raises(FileNotFoundError) as error:
        prepare(data_set, tmp_path / 'root', offline=True, report=quiet)
    message = str(error.value)
    for source in data_set.sources:
        assert source.name in message and (source.md5 or '') in message
    assert str(tmp_path / 'root') in message and data_set.page in message
    assert not (tmp_path / 'root').exists()


@pytest.mark.parametrize(
    ('name', 'cls', 'sizes'),
    [
        ('flowers102', Flowers102, {'trainval': 4, 'test': 2}),
        ('pets', OxfordIIITPet, {'trainval': 3, 'test': 2}),
        ('cars', StanfordCars, {'train': 3, 'test': 2}),
        ('aircraft', FGVCAircraft, {'trainval': 3, 'test': 2}),
        ('tiny_imagenet', TinyImageNet, {'train': 12, 'val': 3}),
        ('imagenet32', ImageNet32, {'train': 30, 'val': 3}),
    ],
)
def test_the_classes_read_what_was_unpacked(small, tmp_path, name, cls, sizes):
    data_set, store = small(name)
    root = prepare(data_set, tmp_path / 'root', sorted(store.iterdir()), report=quiet)
    for split, size in sizes.items():
        dataset = DATASETS.build(dict(type=cls.__name__, data_root=str(root), split=split))
        assert len(dataset) == size
        labels = dataset.get_gt_labels()
        assert labels.min() >= 0 and labels.max() < data_set.classes
        assert all(os.path.isfile(x['img_path']) for x in dataset if 'img_path' in x)


@pytest.mark.parametrize('name', [n for n in UNPACKED if n != 'fashion_mnist'])
@pytest.mark.parametrize('checksum', ['known', 'unknown'])
def test_corrupt_archive_is_named_and_changes_nothing(small, tmp_path, name, checksum):
    data_set, store = small(name)
    if checksum == 'unknown':
        sources = tuple(replace(source, md5=None) for source in data_set.sources)
        data_set = replace(data_set, sources=sources)
    archive = store / next(source.name for source in data_set.sources if source.is_archive)
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(ValueError) as error:
        prepare(data_set, tmp_path / 'root', [archive], report=quiet)
    assert str(archive) in str(error.value) and 'fetch it again' in str(error.value)
    assert not tree(tmp_path / 'root')


@pytest.mark.parametrize('any_checksum', [False, True])
@pytest.mark.parametrize('offline', [False, True])
@pytest.mark.parametrize('where', ['given', 'in the folder'])
def test_an_archive_is_not_blamed_for_another_that_lacks(
    small, tmp_path, any_checksum, offline, where
):
    data_set, store = small('pets')
    root, images = tmp_path / 'root', store / 'images.tar.gz'
    lists, _ = data_set.sources
    lists = replace(lists, url=(tmp_path / 'nowhere.tar.gz').as_uri())
    data_set = replace(data_set, sources=(lists, data_set.sources[1]))
    if where == 'in the folder':
        root.mkdir()
        images = shutil.copy(images, root)
    archives = [images] if where == 'given' else []
    with pytest.raises(FileNotFoundError) as error:
        prepare(data_set, root, archives, offline=offline, any_checksum=any_checksum, report=quiet)
    message = str(error.value)
    reason = f'not downloaded (--offline); it is at {lists.url}'
    assert (reason if offline else 'the download failed: ') in message
    checked = '' if any_checksum else ', with the right MD5'
    there = f'there already: {images}{checked}; it is unpacked after annotations.tar.gz'
    assert there in message
    assert 'is not complete, or no' not in message and not (root / 'images').exists()
    assert message.count('annotations/trainval.txt: missing') == 1


def test_images_are_not_downloaded_before_their_lists(small, tmp_path):
    data_set, _ = small('pets')
    lists, images = data_set.sources
    data_set = replace(data_set, sources=(replace(lists, url=None), images))
    reported = []
    with pytest.raises(FileNotFoundError) as error:
        prepare(data_set, tmp_path / 'root', report=reported.append)
    assert not reported
    reason = f'not downloaded before annotations.tar.gz is there; it is at {images.url}'
    assert reason in str(error.value)


def test_a_list_of_other_lines_is_named_once(small, tmp_path):
    data_set, store = small('pets')
    pattern = DATA_SETS['pets'].sources[0].gives[0].format.pattern
    sources = [
        replace(
            source,
            gives=tuple(
                replace(item, format=Text(2, pattern)) if 'trainval.txt' in item.pattern else item
                for item in source.gives
            ),
        )
        for source in data_set.sources
    ]
    data_set = replace(data_set, sources=tuple(sources))
    root = prepare(data_set, tmp_path / 'root', sorted(store.iterdir()), report=quiet)
    path = root / 'annotations' / 'trainval.txt'
    path.write_text('Cat_0 1 1 1\nCat_1 one 1 1\n')
    problems = check_contents(data_set.all_contents, root)
    assert problems == [f"{path}: damaged or not complete (ValueError: line 2 is 'Cat_1 one 1 1')"]


@pytest.mark.parametrize(('count', 'last'), [(11, 'line 10'), (12, 'and 2 others')])
def test_no_single_line_is_left_out(count, last):
    assert _indented([f'line {number}' for number in range(count)])[-1] == f'    {last}'


def test_repacked_archive_needs_leave_and_must_hold_all_the_same(small, tmp_path):
    data_set, store = small('tiny_imagenet')
    archive = store / 'tiny-imagenet-200.zip'
    data_set = replace(data_set, sources=(replace(data_set.sources[0], md5='0' * 32),))
    with pytest.raises(ValueError, match='--any-checksum'):
        prepare(data_set, tmp_path / 'root', [archive], report=quiet)
    prepare(data_set, tmp_path / 'root', [archive], any_checksum=True, report=quiet)


def test_half_unpacked_folder_is_never_taken_for_complete(small, tmp_path):
    data_set, store = small('tiny_imagenet')
    root = prepare(data_set, tmp_path / 'root', [store / 'tiny-imagenet-200.zip'], report=quiet)
    folder = root / 'tiny-imagenet-200'
    last = folder / 'train' / 'n03' / 'images' / 'n03_3.JPEG'
    (folder / 'mine.txt').write_text('note')
    (store / 'tiny-imagenet-200.zip').rename(store / 'aside.zip')
    last.unlink()
    with pytest.raises(FileNotFoundError, match='11 of 12 files'):
        prepare(data_set, root, offline=True, report=quiet)
    last.touch()
    with pytest.raises(FileNotFoundError, match=r'n03_3\.JPEG: empty\n'):
        prepare(data_set, root, offline=True, report=quiet)
    (last.parent / 'n03_2.JPEG').write_bytes(b'')
    with pytest.raises(FileNotFoundError, match=r'JPEG: empty, like 1 more of the 12 files\n'):
        prepare(data_set, root, offline=True, report=quiet)
    reported = []
    prepare(data_set, root, [store / 'aside.zip'], offline=True, report=reported.append)
    assert not check_contents(data_set.all_contents, root)
    assert 'tiny-imagenet-200.incomplete' in '\n'.join(reported)
    assert (folder / 'mine.txt').read_text() == 'note'


@pytest.mark.parametrize('name', [n for n in UNPACKED if n != 'fashion_mnist'])
@pytest.mark.parametrize('moment', ['unpacking', 'renaming'])
def test_a_killed_run_leaves_nothing_that_passes(small, tmp_path, monkeypatch, name, moment):
    data_set, store = small(name, urls=False)
    root = tmp_path / 'root'
    store_in(store, root)

    def kill(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        # a kill runs no cleaning-up either
        patch.setattr(unpacking.shutil, 'rmtree', lambda *args, **kwargs: None)
        if moment == 'unpacking':
            patch.setattr(unpacking, '_find_top', kill)
        else:
            patch.setattr(unpacking.os, 'replace', kill)
        with pytest.raises(KeyboardInterrupt):
            prepare(data_set, root, offline=True, report=quiet)
    assert [p for p in root.iterdir() if p.name.startswith('.unpacking')]
    assert check_contents(data_set.all_contents, root)
    prepare(data_set, root, offline=True, report=quiet)
    assert not [p for p in root.iterdir() if p.name.startswith('.unpacking')]
    assert not check_contents(data_set.all_contents, root)


def test_only_what_is_missing_is_unpacked(small, tmp_path):
    data_set, store = small('imagenet32')
    root = prepare(data_set, tmp_path / 'root', sorted(store.iterdir()), report=quiet)
    (root / 'val_data').unlink()
    reported = []
    prepare(data_set, root, sorted(store.iterdir()), report=reported.append)
    assert [line for line in reported if 'Unpacking' in line] == [
        f'Unpacking {store / "Imagenet32_val.zip"}'
    ]


def test_labels_beside_an_incomplete_devkit_are_kept(small, tmp_path):
    data_set, store = small('cars')
    root = tmp_path / 'root'
    (root / 'devkit').mkdir(parents=True)
    shutil.copy(store / 'cars_test_annos_withlabels.mat', root / 'devkit')
    archives = [store / source.name for source in data_set.sources if source.is_archive]
    prepare(data_set, root, archives, offline=True, report=quiet)


def test_other_layouts_pass(make, tmp_path):
    cars = DATA_SETS['cars']
    cars = replace(cars, instead=tuple(replace(item, count=1) for item in cars.instead))
    (tmp_path / 'car_ims').mkdir()
    (tmp_path / 'car_ims' / '000001.jpg').write_bytes(make.jpeg())
    (tmp_path / 'cars_annos.mat').write_bytes(make.mat(annotations=[1, 2]))
    prepare(cars, tmp_path, offline=True, report=quiet)


def test_imagenet_is_checked_and_explained_alone(make, tmp_path):
    imagenet = DATA_SETS['imagenet']
    with pytest.raises(FileNotFoundError, match="ImageNet's terms") as error:
        prepare(imagenet, tmp_path, report=quiet)
    assert str(tmp_path / 'train') in str(error.value) and 'only checks' in str(error.value)
    (tmp_path / 'x.tar').touch()
    with pytest.raises(ValueError, match='only checked'):
        prepare(imagenet, tmp_path, [tmp_path / 'x.tar'], report=quiet)
    items = (*imagenet.contents, *imagenet.instead)
    small = [make.shrunk(item, {'meta/val.txt': 1}, {}) for item in items]
    imagenet = replace(imagenet, contents=tuple(small[:2]), instead=tuple(small[2:]))
    for name in ('train/n01/n01_1.JPEG', 'val/ILSVRC2012_val_00000001.JPEG'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(make.jpeg())
    (tmp_path / 'meta').mkdir()
    (tmp_path / 'meta' / 'train.txt').write_text('n01/n01_1.JPEG 0\nn01/n01_2.JPEG 0\n')
    (tmp_path / 'meta' / 'val.txt').write_text('ILSVRC2012_val_00000001.JPEG 65\n')
    prepare(imagenet, tmp_path, report=quiet)


def test_archives_that_are_not_there_or_not_known(small, tmp_path):
    data_set, store = small('pets')
    with pytest.raises(FileNotFoundError, match='no such file'):
        prepare(data_set, tmp_path / 'root', [tmp_path / 'images.tar.gz'], report=quiet)
    (store / 'other.zip').touch()
    with pytest.raises(ValueError, match=r'other\.zip: .* annotations\.tar\.gz, images\.tar\.gz'):
        prepare(data_set, tmp_path / 'root', [store / 'other.zip'], report=quiet)


def test_folder_of_the_archive_stands_for_its_parent(small, tmp_path):
    data_set, _ = small('cifar100')
    assert prepare(data_set, tmp_path / 'x' / 'cifar-100-python', report=quiet) == tmp_path / 'x'
