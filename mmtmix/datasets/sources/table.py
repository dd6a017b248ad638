"""The one table of data sets: their files, how each is checked, and where they come from.

Preparing a data set, the check before a training and the data sets' own classes read it.
Checksums are those that the authors publish or that torchvision and MMPretrain require; those of
Tiny-ImageNet and FGVC-Aircraft are in wide use, but their authors publish none.
"""

from __future__ import annotations

from dataclasses import replace

from .file_formats import Batch, Image, Mat, Pickle, Text
from .layouts import Content, DataSet, Files, IdxFile, Listed, MatListed, Source

_TORONTO = 'https://www.cs.toronto.edu/~kriz'
_OXFORD = 'https://www.robots.ox.ac.uk/~vgg/data'
_FASHION = 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com'
_IMAGENET = 'https://image-net.org/download-images'
_TERMS = (
    f"The images are under ImageNet's terms, which are yours to accept: sign in at {_IMAGENET}"
)

_CIFAR10_FILES = {
    'data_batch_1': 'c99cafc152244af753f735de768cd75f',
    'data_batch_2': 'd4bba439e000b95fd0a9bffe97cbabec',
    'data_batch_3': '54ebc095f3ab1f0389bbae665268c751',
    'data_batch_4': '634d18415352ddfa80567beed471001a',
    'data_batch_5': '482c414d41f54cd18b22e5b47cb7c3cb',
    'test_batch': '40351d587109b95175f43aff81a1287e',
    'batches.meta': '5ff9c542aee3614f3951f8cda6e48888',
}
_CIFAR100_FILES = {
    'train': '16019d7e3df5f24257cddd939b257f8d',
    'test': 'f0ef6b0ae62326f3e7ffdfab6717acfc',
    'meta': '7973b15100ade9c7d40fb424638fde48',
}
_FASHION_FILES = {
    'train-images-idx3-ubyte': (60000, (28, 28), '8d4fb7e6c68d591d4c3dfef9ec88bf0d'),
    'train-labels-idx1-ubyte': (60000, (), '25c81989df183df01b3e8a0aad5dffbe'),
    't10k-images-idx3-ubyte': (10000, (28, 28), 'bef4ecab320f06d8554ea6380940ec79'),
    't10k-labels-idx1-ubyte': (10000, (), 'bb300cfdad3c16e7a12a480ee83cd310'),
}


def _cifar(name: str, classes: int, folder: str, files: dict[str, str], md5: str) -> DataSet:
    title = name.upper().replace('CIFAR', 'CIFAR-')
    gives = tuple(Files(f'{folder}/{file}', 1, Pickle(), digest) for file, digest in files.items())
    archive = f'{title.lower()}-python.tar.gz'
    source = Source(archive, gives, md5, f'{_TORONTO}/{archive}')
    page = f'{_TORONTO}/cifar.html'
    images, host_class = (50000, 10000), name.upper()
    return DataSet(name, title, images, classes, (source,), page, folder, host_class=host_class)


CIFAR10 = _cifar(
    'cifar10', 10, 'cifar-10-batches-py', _CIFAR10_FILES, 'c58f30108f718f92721af3b95e74349a'
)
CIFAR100 = _cifar(
    'cifar100', 100, 'cifar-100-python', _CIFAR100_FILES, 'eb9058c3a382ffc7106e4002c42a8d85'
)

_TINY = 'tiny-imagenet-200'
_TINY_LISTS = (
    Files('wnids.txt', 1, Text(200)),
    Files('words.txt', 1, Text(82115)),  # all nouns of WordNet
)
_TINY_VAL = Listed('val/val_annotations.txt', 10000, 'val/images/{}')


def _below(folder: str, *contents: Content) -> tuple[Content, ...]:
    """Return contents of a folder as those of the folder above it."""
    found: list[Content] = []
    for item in contents:
        if isinstance(item, Files):
            found.append(replace(item, pattern=f'{folder}/{item.pattern}'))
        elif isinstance(item, Listed):
            path, image = f'{folder}/{item.path}', f'{folder}/{item.image}'
            found.append(replace(item, path=path, image=image))
        else:
            found.append(replace(item, name=f'{folder}/{item.name}'))
    return tuple(found)


TINY_IMAGENET = DataSet(
    'tiny_imagenet',
    'Tiny-ImageNet',
    (100000, 10000),
    200,
    (
        Source(
            f'{_TINY}.zip',
            _below(
                _TINY,
                Listed('wnids.txt', 200, 'train/{0}/images/{0}_0.JPEG'),
                *_TINY_LISTS,
                Files('train/*/images/*.JPEG', 100000, Image()),
                _TINY_VAL,
            ),
            '90528d7ca1a48142e341f4ef8d21d0de',
            f'http://cs231n.stanford.edu/{_TINY}.zip',
        ),
    ),
    'http://cs231n.stanford.edu',
    _TINY,
    splits={
        'train': (*_TINY_LISTS, Listed('wnids.txt', 200, 'train/{}/images')),
        'val': (
            *_TINY_LISTS,
            Files(_TINY_VAL.path, 1, Text(10000)),
            Files('val/images/*.JPEG', 10000, Image()),
        ),
    },
)

# a tenth of the images, give or take
_TRAIN_BATCHES = tuple(
    Files(f'train_data_batch_{number}', 1, Batch(128000)) for number in range(1, 11)
)
_VAL_BATCH = Files('val_data', 1, Batch(50000))
IMAGENET32 = DataSet(
    'imagenet32',
    'ImageNet32',
    (1281167, 50000),
    1000,
    (
        Source('Imagenet32_train.zip', _TRAIN_BATCHES),
        Source('Imagenet32_val.zip', (_VAL_BATCH,)),
    ),
    _IMAGENET,
    splits={'train': _TRAIN_BATCHES, 'val': (_VAL_BATCH,)},
    note=f'{_TERMS} and fetch the archives yourself.',
)

_FLOWER_SPLITS = {
    'trainval': ('trnid', 'valid'),
    'train': ('trnid',),
    'val': ('valid',),
    'test': ('tstid',),
}
FLOWERS102 = DataSet(
    'flowers102',
    'Oxford Flowers-102',
    (2040, 6149),
    102,
    (
        Source(
            '102flowers.tgz',
            (Files('jpg/image_*.jpg', 8189, Image()),),
            '52808999861908f626f3c1f4e79d11fa',
            f'{_OXFORD}/flowers/102/102flowers.tgz',
        ),
        *(
            Source(name, (Files(name, 1, Mat(), md5),), md5, f'{_OXFORD}/flowers/102/{name}')
            for name, md5 in (
                ('imagelabels.mat', 'e0620be6f572b9609742df49c70aed4d'),
                ('setid.mat', 'a5357ecc9cb78c4bef273ce3793fc85c'),
            )
        ),
    ),
    f'{_OXFORD}/flowers/102/',
    splits={
        split: (
            Files('imagelabels.mat', 1, Mat()),
            MatListed('setid.mat', 1, 'jpg/image_{:05d}.jpg', fields=fields),
        )
        for split, fields in _FLOWER_SPLITS.items()
    },
    host_class='Flowers102',
)

_PET = r'(\S+)\s+\d+\s+\S+\s+\S+'  # name, class, species and breed
_PET_SPLITS = {
    split: Listed(f'annotations/{split}.txt', count, 'images/{}.jpg', line=_PET)
    for split, count in (('trainval', 3680), ('test', 3669))
}
PETS = DataSet(
    'pets',
    'Oxford-IIIT Pet',
    (3680, 3669),
    37,
    (
        Source(
            'annotations.tar.gz',
            (
                Files('annotations/trainval.txt', 1, Text(3680, _PET)),
                Files('annotations/test.txt', 1, Text(3669, _PET)),
            ),
            '95a8c909bbe2e81eed6a22bccdf3f68f',
            f'{_OXFORD}/pets/data/annotations.tar.gz',
        ),
        Source(
            'images.tar.gz',
            tuple(_PET_SPLITS.values()),
            '5c4f3ee8e5d25df40f4fd59a7f44e54c',
            f'{_OXFORD}/pets/data/images.tar.gz',
        ),
    ),
    f'{_OXFORD}/pets/',
    splits={split: (listed,) for split, listed in _PET_SPLITS.items()},
    host_class='OxfordIIITPet',
)

_CARS_TEST_MD5 = 'b0a2b23655a3edd16d84508592a98d10'
_CARS_TRAIN = Files('devkit/cars_train_annos.mat', 1, Mat())
_CARS_TEST = Files('devkit/cars_test_annos_withlabels.mat', 1, Mat(), _CARS_TEST_MD5)
_CARS_TRAIN_IMAGES = Files('cars_train/*.jpg', 8144, Image())
_CARS_TEST_IMAGES = Files('cars_test/*.jpg', 8041, Image())
CARS = DataSet(
    'cars',
    'Stanford Cars',
    (8144, 8041),
    196,
    (
        Source(
            'car_devkit.tgz',
            (_CARS_TRAIN, Files('devkit/cars_meta.mat', 1, Mat())),
            'c3b158d763b6e2245038c8ad08e45376',
        ),
        Source('cars_test_annos_withlabels.mat', (_CARS_TEST,), _CARS_TEST_MD5),
        Source('cars_train.tgz', (_CARS_TRAIN_IMAGES,), '065e5b463ae28d29e77c1b4b166cfe61'),
        Source('cars_test.tgz', (_CARS_TEST_IMAGES,), '4ce7ebf6a94d07f1952d94dd34c4d501'),
    ),
    'https://ai.stanford.edu/~jkrause/cars/car_dataset.html',
    instead=(Files('cars_annos.mat', 1, Mat()), Files('car_ims/*.jpg', 16185, Image())),
    splits={
        'train': (_CARS_TRAIN, _CARS_TRAIN_IMAGES),
        'test': (_CARS_TEST, _CARS_TEST_IMAGES),
    },
    host_class='StanfordCars',
    note='Its authors no longer offer it; the files are those of copies that others keep.',
)

_PLANES = {
    split: Listed(
        f'data/images_variant_{split}.txt', count, 'data/images/{}.jpg', line=r'(\S+)\s+\S.*'
    )
    for split, count in (('trainval', 6667), ('train', 3334), ('val', 3333), ('test', 3333))
}
AIRCRAFT = DataSet(
    'aircraft',
    'FGVC-Aircraft',
    (6667, 3333),
    100,
    (
        Source(
            'fgvc-aircraft-2013b.tar.gz',
            (Files('data/variants.txt', 1, Text(100)), _PLANES['trainval'], _PLANES['test']),
            'd4acdd33327262359767eeaa97a4f732',
            f'{_OXFORD}/fgvc-aircraft/archives/fgvc-aircraft-2013b.tar.gz',
        ),
    ),
    f'{_OXFORD}/fgvc-aircraft/',
    splits={split: (listed,) for split, listed in _PLANES.items()},
    host_class='FGVCAircraft',
)

_FASHION_IDX = {
    name: IdxFile(name, count, shape) for name, (count, shape, _) in _FASHION_FILES.items()
}
FASHION_MNIST = DataSet(
    'fashion_mnist',
    'Fashion-MNIST',
    (60000, 10000),
    10,
    tuple(
        Source(f'{name}.gz', (_FASHION_IDX[name],), md5, f'{_FASHION}/{name}.gz')
        for name, (_, _, md5) in _FASHION_FILES.items()
    ),
    'https://github.com/zalandoresearch/fashion-mnist',
    splits={
        split: tuple(item for name, item in _FASHION_IDX.items() if name.startswith(prefix))
        for split, prefix in (('train', 'train-'), ('test', 't10k-'))
    },
    host_class='FashionMNIST',
    note="Debian and Ubuntu have it as 'dataset-fashion-mnist', in /usr/share/datasets.",
)

_IMAGENET_TRAIN = Files('train/*/*.JPEG', 1281167, Image())
IMAGENET = DataSet(
    'imagenet',
    'ImageNet (ILSVRC 2012)',
    (1281167, 50000),
    1000,
    (),
    _IMAGENET,
    contents=(_IMAGENET_TRAIN, Files('val/*/*.JPEG', 50000, Image())),
    instead=(
        _IMAGENET_TRAIN,
        Files('meta/train.txt', 1, Text(1281167)),
        Listed('meta/val.txt', 50000, 'val/{}', line=r'(.+) \d+'),
    ),
    host_class='ImageNet',
    note=f'{_TERMS} and unpack the archives into train/<WordNet id>/*.JPEG and '
    'val/<WordNet id>/*.JPEG, or the validation images into val/ with meta/train.txt and '
    'meta/val.txt beside, as MMPretrain describes. The command only checks them.',
)

_ALL = (
    CIFAR10,
    CIFAR100,
    TINY_IMAGENET,
    IMAGENET32,
    FLOWERS102,
    PETS,
    CARS,
    AIRCRAFT,
    FASHION_MNIST,
    IMAGENET,
)
DATA_SETS: dict[str, DataSet] = {data_set.name: data_set for data_set in _ALL}
"""The data sets by name."""

_OF_HOST = {data_set.host_class: data_set for data_set in _ALL if data_set.host_class}


def data_set_of(cls: object) -> DataSet | None:
    """Return the data set that one of MMPretrain's own classes reads.

    Args:
        cls: Class of a data set.

    Returns:
        The data set; None for other classes, those that inherit from MMPretrain's included.
    """
    if not isinstance(cls, type) or cls.__module__.partition('.')[0] != 'mmpretrain':
        return None
    return _OF_HOST.get(cls.__name__)
