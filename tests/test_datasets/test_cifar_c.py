"""The published corrupted sets, as a small copy of them."""

import numpy as np
import pytest
from mmpretrain.registry import DATASETS

from mmtmix.datasets import check_data
from mmtmix.datasets.cifar_c import CIFARC

pytestmark = pytest.mark.host


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / 'CIFAR-10-C'
    root.mkdir()
    images = np.random.default_rng(0).integers(256, size=(20, 32, 32, 3), dtype=np.uint8)
    np.save(root / 'fog.npy', images)
    np.save(root / 'labels.npy', np.tile([3, 1, 0, 2], 5).astype(np.uint8))
    return root, images


def test_a_severity_is_a_fifth_of_the_file(folder):
    root, images = folder
    pipeline = [dict(type='PackInputs')]
    dataset = DATASETS.build(
        dict(type='CIFARC', data_root=str(root), kind='fog', severity=4, pipeline=pipeline)
    )
    assert len(dataset) == 4
    item = dataset[1]
    np.testing.assert_array_equal(item['inputs'].permute(1, 2, 0), images[13])
    assert int(item['data_samples'].gt_label) == 1
    assert len(CIFARC(root, 'fog')) == 20


def test_missing_files_have_advice(folder):
    settings = dict(type='CIFARC', data_root=str(folder[0]), kind='snow', severity=1)
    with pytest.raises(FileNotFoundError, match=r'snow\.npy(.|\n)*zenodo'):
        check_data(dict(test_dataloader=dict(dataset=settings)))


def test_wrong_files_and_arguments_are_refused(folder):
    root, images = folder
    np.save(root / 'snow.npy', images[:10])
    with pytest.raises(ValueError, match='Unpack the archive again'):
        CIFARC(root, 'snow', 1)
    (root / 'frost.npy').write_bytes(b'nothing')
    with pytest.raises(ValueError, match='damaged'):
        CIFARC(root, 'frost', 1)
    with pytest.raises(ValueError, match='severity'):
        CIFARC(root, 'fog', 6)
    with pytest.raises(ValueError, match='kind'):
        CIFARC(root, 'rain', 1)
