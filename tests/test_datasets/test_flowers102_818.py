"""Flowers102Split818: sizes, balance, and what can be wrong with its files."""

import mat4py
import numpy as np
import pytest
from mmpretrain.registry import DATASETS

from mmtmix.datasets import Flowers102Split818, check_data
from mmtmix.datasets.flowers102_818 import divide

pytestmark = pytest.mark.host

SIZES = dict(train=6553, val=818, trainval=7371, test=818)


def official_like_labels():
    """8,189 labels of 102 classes of 40 to 258 images, as the official ones are spread."""
    rng = np.random.RandomState(0)
    counts = np.full(102, 40)
    np.add.at(counts, rng.randint(0, 102, 8189 - counts.sum()), 1)
    return rng.permutation(np.repeat(np.arange(102), counts))


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp('flowers')
    (folder / 'jpg').mkdir()
    for number in range(1, 8190):
        (folder / 'jpg' / f'image_{number:05d}.jpg').touch()
    labels = (official_like_labels() + 1).tolist()
    mat4py.savemat(str(folder / 'imagelabels.mat'), dict(labels=labels))
    return folder


@pytest.mark.parametrize('spread', ['as official', 'even', 'skewed'])
def test_parts_fit_together_and_are_balanced(spread):
    labels = {
        'as official': official_like_labels(),
        'even': np.arange(8189) % 102,
        'skewed': np.minimum(np.arange(8189) // 5, 101),
    }[spread]
    parts = divide(labels)
    assert {name: len(part) for name, part in parts.items()} == SIZES
    together = np.concatenate([parts['train'], parts['val'], parts['test']])
    assert np.array_equal(np.sort(together), np.arange(8189))
    assert np.array_equal(np.sort(together[:7371]), parts['trainval'])
    share = np.bincount(labels, minlength=102) * 818 / 8189
    for name in ('test', 'val'):
        counts = np.bincount(labels[parts[name]], minlength=102)
        assert np.abs(counts - share).max() < 1


def test_division_is_the_same_for_good():
    test = divide(np.arange(8189) % 102)['test']
    # figures of the first run: a change would make earlier accuracies incomparable
    assert test[:5].tolist() == [6, 19, 31, 37, 42] and int(test.sum()) == 3379567


def test_splits(root):
    labels = official_like_labels()
    seen = []
    for split, size in SIZES.items():
        cfg = dict(type='Flowers102Split818', data_root=str(root), split=split)
        check_data(dict(train_dataloader=dict(dataset=cfg)))
        dataset = DATASETS.build(cfg)
        assert len(dataset) == size and dataset.test_mode == (split == 'test')
        items = [dataset.get_data_info(i) for i in range(0, size, 50)]
        numbers = [int(item['img_path'][-9:-4]) for item in items]
        assert [item['gt_label'] for item in items] == labels[np.array(numbers) - 1].tolist()
        seen.append({dataset.get_data_info(i)['img_path'] for i in range(size)})
    assert not seen[2] & seen[3] and seen[0] | seen[1] == seen[2]


def test_own_list_of_test_images(root, tmp_path):
    (tmp_path / 'ids.txt').write_text('8189\n1\n77\n')
    args = dict(data_root=root, test_ids=tmp_path / 'ids.txt')
    test = Flowers102Split818(split='test', **args)
    names = [test.get_data_info(i)['img_path'][-9:] for i in range(3)]
    assert names == ['00001.jpg', '00077.jpg', '08189.jpg'] and len(test) == 3
    assert len(Flowers102Split818(split='trainval', **args)) == 8186
    with pytest.raises(
        ValueError, match="split must be one of 'trainval', 'test', got 'val'; test_ids"
    ):
        Flowers102Split818(split='val', **args)
    with pytest.raises(FileNotFoundError, match='nowhere.txt'):
        Flowers102Split818(data_root=root, test_ids='nowhere.txt')


@pytest.mark.parametrize(
    ('text', 'said'), [('0', "'0'"), ('8190', "'8190'"), ('x', "'x'"), ('1\n1', 'twice'), ('', '')]
)
def test_lists_that_are_none(root, tmp_path, text, said):
    (tmp_path / 'ids.txt').write_text(text)
    with pytest.raises(ValueError, match=f'ids.txt must list image numbers .*{said}'):
        Flowers102Split818(data_root=root, test_ids=tmp_path / 'ids.txt')


def test_missing_images_and_labels(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'imagelabels.mat, jpg/image_00001.jpg and 8188'):
        Flowers102Split818(data_root=tmp_path)


@pytest.mark.parametrize(
    ('labels', 'said'),
    [
        ([1] * 8188 + [103], '8189 labels from 1 to 102, got the label 103'),
        ([1] * 8188 + [0], 'got the label 0'),
        ([1, 2], 'got 2 labels'),
        (None, 'holds no labels'),
    ],
)
def test_labels_that_are_none(root, tmp_path, labels, said):
    (tmp_path / 'jpg').symlink_to(root / 'jpg')
    path = tmp_path / 'imagelabels.mat'
    if labels is None:
        path.write_bytes(b'no mat file' * 100)
    else:
        mat4py.savemat(str(path), dict(labels=labels))
    with pytest.raises(ValueError, match=said) as error:
        Flowers102Split818(data_root=tmp_path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ('kwargs', 'said'),
    [
        (dict(split='valid'), "got 'valid'"),
        (dict(ann_file='x'), 'does not take ann_file'),
        (dict(data_root=''), "got ''"),
    ],
)
def test_invalid_arguments(root, kwargs, said):
    with pytest.raises(ValueError, match=said):
        Flowers102Split818(**{'data_root': root, **kwargs})
