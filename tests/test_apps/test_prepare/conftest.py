"""Small archives in the official formats, and data sets of that size to check them by."""

import gzip
import io
import pickle
import tarfile
import zipfile
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import cv2
import mat4py
import numpy as np
import pytest

from mmtmix.datasets.sources import DATA_SETS, Files, IdxFile, Listed, file_md5
from mmtmix.datasets.sources.file_formats import Batch, Text


def jpeg(seed=0, size=(8, 8)):
    image = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    return cv2.imencode('.jpg', image)[1].tobytes()


def mat(tmp_path, **values):
    path = tmp_path / 'scratch.mat'
    mat4py.savemat(str(path), values)
    return path.read_bytes()


def write_tar(path, files):
    with tarfile.open(path, 'w:gz') as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def write_zip(path, files):
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def cifar_batch(count, key):
    data = np.random.default_rng(0).integers(0, 256, (count, 3072), dtype=np.uint8)
    return pickle.dumps({'data': data, key: [i % 10 for i in range(count)]}, protocol=2)


def cifar10(tmp_path):
    names = ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5']
    files = {name: cifar_batch(2, 'labels') for name in [*names, 'test_batch']}
    files['batches.meta'] = pickle.dumps({'label_names': list('abcdefghij')}, protocol=2)
    return {
        'cifar-10-python.tar.gz': {f'cifar-10-batches-py/{k}': v for k, v in files.items()}
    }, {}


def cifar100(tmp_path):
    files = {name: cifar_batch(2, 'fine_labels') for name in ('train', 'test')}
    files['meta'] = pickle.dumps({'fine_label_names': ['a']}, protocol=2)
    return {'cifar-100-python.tar.gz': {f'cifar-100-python/{k}': v for k, v in files.items()}}, {}


def tiny_imagenet(tmp_path):
    wnids = ['n03', 'n01', 'n02']
    files = {'wnids.txt': '\n'.join(wnids).encode(), 'words.txt': b'n01\tcat\nn02\tdog, hound\n'}
    for wnid in wnids:
        files[f'train/{wnid}/{wnid}_boxes.txt'] = b'boxes'
        for i in range(4):
            files[f'train/{wnid}/images/{wnid}_{i}.JPEG'] = jpeg(i, (64, 64))
    for i in range(3):
        files[f'val/images/val_{i}.JPEG'] = jpeg(10 + i, (64, 64))
    lines = [f'val_{i}.JPEG\t{wnids[i]}\t0\t0\t62\t62\n' for i in range(3)]
    files['val/val_annotations.txt'] = ''.join(lines).encode()
    counts = {'train/*/images/*.JPEG': 12, 'val/val_annotations.txt': 3, 'wnids.txt': 3}
    return (
        {'tiny-imagenet-200.zip': {f'tiny-imagenet-200/{k}': v for k, v in files.items()}},
        {f'tiny-imagenet-200/{k}': v for k, v in counts.items()},
    )


def imagenet32(tmp_path):
    def batch(seed):
        data = np.random.default_rng(seed).integers(0, 256, (3, 3072), dtype=np.uint8)
        mean = data.mean(axis=0)
        return pickle.dumps({'data': data, 'labels': [1, 1000, 5], 'mean': mean})

    train = {f'train_data_batch_{i}': batch(i) for i in range(1, 11)}
    return {'Imagenet32_train.zip': train, 'Imagenet32_val.zip': {'val_data': batch(0)}}, {}


def flowers102(tmp_path):
    images = {f'jpg/image_{i:05d}.jpg': jpeg(i) for i in range(1, 7)}
    return {
        '102flowers.tgz': images,
        'imagelabels.mat': mat(tmp_path, labels=[1, 2, 102, 4, 5, 6]),
        'setid.mat': mat(tmp_path, trnid=[1, 5], valid=[3, 6], tstid=[2, 4]),
    }, {'jpg/image_*.jpg': 6}


def pets(tmp_path):
    files = {f'images/Cat_{i}.jpg': jpeg(i) for i in range(5)}
    lists = {
        'annotations/list.txt': b'#Image CLASS-ID SPECIES BREED ID\n',
        'annotations/._trainval.txt': b'\xff',
        'annotations/trainval.txt': b'Cat_0 1 1 1\nCat_1 37 1 1\nCat_2 2 1 1\n',
        'annotations/test.txt': b'Cat_3 1 1 1\nCat_4 37 1 1\n',
    }
    counts = {'annotations/trainval.txt': 3, 'annotations/test.txt': 2}
    return {'annotations.tar.gz': lists, 'images.tar.gz': files}, counts


def cars(tmp_path):
    def annotations(count):
        names = [f'{i:05d}.jpg' for i in range(1, count + 1)]
        return mat(tmp_path, annotations={'fname': names, 'class': list(range(1, count + 1))})

    devkit = {
        'cars_train_annos.mat': annotations(3),
        'cars_meta.mat': mat(tmp_path, class_names=['a', 'b']),
    }
    return {
        'car_devkit.tgz': {f'devkit/{k}': v for k, v in devkit.items()},
        'cars_test_annos_withlabels.mat': annotations(2),
        'cars_train.tgz': {f'cars_train/{i:05d}.jpg': jpeg(i) for i in range(1, 4)},
        'cars_test.tgz': {f'cars_test/{i:05d}.jpg': jpeg(i) for i in range(1, 3)},
    }, {'cars_train/*.jpg': 3, 'cars_test/*.jpg': 2}


def aircraft(tmp_path):
    files = {f'images/{i}.jpg': jpeg(i) for i in range(5)}
    files['variants.txt'] = b'707-320\n727-200\n'
    files['images_variant_trainval.txt'] = b'0 707-320\n1 727-200\n2 727-200\n'
    files['images_variant_test.txt'] = b'3 707-320\n4 727-200\n'
    files = {f'fgvc-aircraft-2013b/data/{k}': v for k, v in files.items()}
    counts = {'data/images_variant_trainval.txt': 3, 'data/images_variant_test.txt': 2}
    return {'fgvc-aircraft-2013b.tar.gz': files}, counts


def fashion_mnist(tmp_path):
    sources = {}
    for item in [source.gives[0] for source in DATA_SETS['fashion_mnist'].sources]:
        shape = (6, *item.item_shape)
        head = bytes((0, 0, 8, len(shape))) + np.array(shape, '>u4').tobytes()
        sources[item.pattern] = gzip.compress(head + bytes(int(np.prod(shape))))
    return sources, {name.removesuffix('.gz'): 6 for name in sources}


MAKERS = [
    cifar10,
    cifar100,
    tiny_imagenet,
    imagenet32,
    flowers102,
    pets,
    cars,
    aircraft,
    fashion_mnist,
]


SMALL_FORMATS = {Batch: Batch(3), Text: Text(2)}


def shrunk(item, counts, digests):
    """An item of the table with the counts, forms and checksums of small files."""
    if isinstance(item, Files):
        count = counts.get(item.pattern, 1) if '*' in item.pattern else 1
        form = SMALL_FORMATS.get(type(item.format), item.format)
        md5 = digests.get(item.pattern) if item.md5 else None
        return replace(item, count=count, format=form, md5=md5)
    if isinstance(item, (Listed, IdxFile)):
        return replace(item, count=counts[item.path if isinstance(item, Listed) else item.name])
    raise TypeError(item)


@pytest.fixture
def make(tmp_path):
    """Make single files of the official formats, and small items of the table."""
    return SimpleNamespace(jpeg=jpeg, mat=partial(mat, tmp_path), shrunk=shrunk)


@pytest.fixture
def small(tmp_path):
    """Make ``(data set, folder of its archives)`` in small, with checksums and local URLs."""

    def make(name, urls=True):
        (maker,) = [maker for maker in MAKERS if maker.__name__ == name]
        contents, counts = maker(tmp_path)
        store = tmp_path / 'store'
        store.mkdir(exist_ok=True)
        for file, content in contents.items():
            if isinstance(content, bytes):
                (store / file).write_bytes(content)
            else:
                (write_zip if file.endswith('.zip') else write_tar)(store / file, content)
        digests = {}
        for content in contents.values():
            if isinstance(content, dict):
                for file, data in content.items():
                    (tmp_path / 'one').write_bytes(data)
                    digests[file] = file_md5(tmp_path / 'one')
        data_set = DATA_SETS[name]
        sources = []
        for source in data_set.sources:
            md5 = file_md5(store / source.name)
            for item in source.gives:
                if not source.is_archive:
                    digests[item.pattern] = md5
            sources.append(
                replace(
                    source,
                    gives=tuple(shrunk(item, counts, digests) for item in source.gives),
                    md5=md5 if source.md5 else None,
                    url=(store / source.name).as_uri() if urls and source.url else None,
                )
            )
        return replace(data_set, sources=tuple(sources)), store

    return make
