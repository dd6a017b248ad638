"""offline_reads: the same images in each form, read by a function each."""

import numpy as np
import pytest

from mmtmix.apps.benchmark.offline import (
    MEMMAP,
    OFFLINE,
    OFFLINE_MANY,
    OFFLINE_SINGLE,
    PNG_FOLDER,
    offline_reads,
)
from mmtmix.datasets import MixedImages

pytestmark = pytest.mark.host


@pytest.mark.parametrize('raw_bytes', [192, 191])
def test_every_form_holds_the_same_images(tmp_path, raw_bytes):
    reads = offline_reads(tmp_path, 8, num=10, shard_size=4, batch_size=5, raw_bytes=raw_bytes)
    assert list(reads) == [OFFLINE, OFFLINE_SINGLE, OFFLINE_MANY, MEMMAP, PNG_FOLDER]
    images = np.load(tmp_path / 'images.npy')
    dataset = MixedImages(tmp_path / 'set')
    assert dataset.mixed_set.described['format'] == (2 if raw_bytes == 192 else 1)
    assert np.array_equal([dataset[i]['img'] for i in range(10)], images)
    for name, read in reads.items():
        found = [item['img'] if isinstance(item, dict) else item for item in read()]
        assert len(found) == 5
        for image in found:
            assert any(np.array_equal(image, each) for each in images), name


@pytest.mark.parametrize('name', ['image_size', 'num', 'shard_size', 'batch_size'])
def test_numbers_out_of_range_are_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(ValueError, match=f'{name} must be'):
        offline_reads(tmp_path / 'new', **{name: 0})
    assert not (tmp_path / 'new').exists()
