"""The table of data sets: it agrees with itself and with MMPretrain."""

from inspect import signature

import pytest
from mmpretrain.registry import DATASETS

from mmtmix.datasets.sources import DATA_SETS, Listed, data_set_of

pytestmark = pytest.mark.host


def test_table_is_consistent():
    for name, data_set in DATA_SETS.items():
        assert data_set.name == name and data_set.page.startswith('http')
        names = [source.name for source in data_set.sources]
        assert len(set(names)) == len(names)
        for source in data_set.sources:
            assert source.gives and (source.url is None or source.url.endswith(source.name))
            assert source.md5 is None or len(source.md5) == 32
            # what can be fetched without asking is checked
            assert source.md5 or source.url is None
            assert source.is_archive or len(source.gives) == 1
    for name in ('CIFAR10', 'CIFAR100'):
        cls = DATASETS.get(name)
        (source,) = DATA_SETS[name.lower()].sources
        assert (source.url, source.md5) == (cls.url, cls.tgz_md5)
        listed = [*cls.train_list, *cls.test_list, [cls.meta['filename'], cls.meta['md5']]]
        wanted = [(f'{cls.base_folder}/{file}', md5) for file, md5 in listed]
        assert [(item.pattern, item.md5) for item in source.gives] == wanted


def test_the_classes_of_mmpretrain_are_found_and_those_of_others_are_not():
    for name, data_set in DATA_SETS.items():
        if data_set.host_class:
            cls = DATASETS.get(data_set.host_class)
            assert data_set_of(cls) is DATA_SETS[name]
            assert data_set_of(type(cls.__name__, (cls,), {'__module__': 'mine'})) is None
    assert data_set_of(DATASETS.get('MNIST')) is None
    assert data_set_of(None) is None


@pytest.mark.parametrize('name', [name for name, one in DATA_SETS.items() if one.splits])
def test_splits_are_a_part_of_what_is_published(name):
    data_set = DATA_SETS[name]
    folder = f'{data_set.folder}/' if data_set.folder == 'tiny-imagenet-200' else ''
    published = {getattr(item, 'path', item.pattern) for item in data_set.all_contents}
    # a folder of listed images, which a quick check only looks into
    listed = [item for item in data_set.all_contents if isinstance(item, Listed)]
    published |= {f'{item.pattern}.JPEG' for item in listed}
    for contents in data_set.splits.values():
        for item in contents:
            path = f'{folder}{getattr(item, "path", item.pattern)}'
            # the archive has these lists, which only two splits of MMPretrain's class read
            rare = name == 'aircraft' and path.endswith(('_train.txt', '_val.txt'))
            assert path in published or rare


@pytest.mark.parametrize(
    ('name', 'splits'),
    [
        ('aircraft', ('trainval', 'train', 'val', 'test')),
        ('flowers102', ('trainval', 'train', 'val', 'test')),
        ('pets', ('trainval', 'test')),
        ('cars', ('train', 'test')),
    ],
)
def test_default_split_is_mmpretrains(name, splits):
    data_set = DATA_SETS[name]
    assert tuple(data_set.splits) == splits
    default = signature(DATASETS.get(data_set.host_class)).parameters['split'].default
    assert default == splits[0]
