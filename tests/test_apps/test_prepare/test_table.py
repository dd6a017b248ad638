"""The table of data sets: it agrees with itself and with MMPretrain."""

import pytest
from mmpretrain.registry import DATASETS

from mmtmix.apps.prepare import DATA_SETS

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
