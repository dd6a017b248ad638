"""TinyImageNet on generated files in the official layout, and what can be wrong with them."""

import cv2
import numpy as np
import pytest
from mmpretrain.registry import DATASETS

from mmtmix.datasets import TinyImageNet, check_data

pytestmark = pytest.mark.host

WNIDS = ['n03', 'n01', 'n02']  # not sorted, as in the official file
LOAD = [dict(type='CheckedLoadImageFromFile'), dict(type='PackInputs')]


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / 'tiny-imagenet-200'
    rng = np.random.default_rng(0)

    def image(path, channels=3):
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (64, 64, 3) if channels == 3 else (64, 64)
        cv2.imwrite(str(path.with_suffix('.jpg')), rng.integers(0, 256, shape, dtype=np.uint8))
        path.with_suffix('.jpg').rename(path)

    for wnid in WNIDS:
        for i in range(3):
            image(folder / 'train' / wnid / 'images' / f'{wnid}_{i}.JPEG', 1 + 2 * (i > 0))
    for i in range(4):
        image(folder / 'val' / 'images' / f'val_{i}.JPEG')
    lines = [f'val_{i}.JPEG\t{WNIDS[i % 3]}\t0\t32\t44\t62\n' for i in range(4)]
    (folder / 'val' / 'val_annotations.txt').write_text(''.join(lines))
    (folder / 'wnids.txt').write_text('\n'.join(WNIDS) + '\n')
    (folder / 'words.txt').write_text('n00\tentity\nn01\tcat\nn02\tdog, hound\nn03\tcrane\n')
    return tmp_path


def test_splits(root):
    train = TinyImageNet(data_root=str(root), pipeline=LOAD)
    assert len(train) == 9 and train.get_gt_labels().tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert train.metainfo['classes'] == ('cat', 'dog, hound', 'crane')
    assert all(item['inputs'].shape == (3, 64, 64) for item in train)  # grey ones too
    for item in (train.get_data_info(i) for i in range(9)):
        assert f'/train/n0{item["gt_label"] + 1}/images/' in item['img_path']
    val = TinyImageNet(data_root=str(root), split='val', pipeline=LOAD)
    assert val.get_gt_labels().tolist() == [2, 0, 1, 2]
    assert [val.get_data_info(i)['img_path'][-10:] for i in (0, 3)] == ['val_0.JPEG', 'val_3.JPEG']
    assert 'Split: \tval' in repr(val)


def test_folder_itself_and_the_one_around_it(root):
    inner = TinyImageNet(data_root=root / 'tiny-imagenet-200', split='val')
    assert inner.data_root == TinyImageNet(data_root=root, split='val').data_root


def test_own_names_and_subsets(root):
    own = DATASETS.build(dict(type='TinyImageNet', data_root=str(root), classes=list('abc')))
    assert own.metainfo['classes'] == ('a', 'b', 'c')
    assert len(TinyImageNet(data_root=root, indices=4)) == 4


def test_side_files_of_macos_and_windows_are_no_images(root):
    folder = root / 'tiny-imagenet-200' / 'train'
    whole = TinyImageNet(data_root=root).get_gt_labels().tolist()
    # in one class alone, which would else be uneven
    for name in ('._n01_0.JPEG', '.DS_Store', 'Thumbs.db'):
        (folder / 'n01' / 'images' / name).write_bytes(b'side file')
        (folder / name).write_bytes(b'side file')
    train = TinyImageNet(data_root=root, pipeline=LOAD)
    assert train.get_gt_labels().tolist() == whole
    assert all(item['inputs'].shape == (3, 64, 64) for item in train)


@pytest.mark.parametrize(
    ('split', 'gone', 'said'),
    [
        ('train', 'wnids.txt', 'wnids.txt'),
        ('val', 'words.txt', 'words.txt'),
        ('val', 'val/val_annotations.txt', 'val/val_annotations.txt'),
        ('train', 'train/n02/images', 'train/n02/images'),
    ],
)
def test_missing_files(root, split, gone, said):
    path = root / 'tiny-imagenet-200' / gone
    path.rename(path.with_name('aside'))
    with pytest.raises(FileNotFoundError, match=f'lacks {said}.*prepare_data.py tiny_imagenet'):
        TinyImageNet(data_root=root, split=split)
    cfg = dict(type='TinyImageNet', data_root=str(root), split=split)
    with pytest.raises(FileNotFoundError, match=f'missing: {said}'):
        check_data(dict(train_dataloader=dict(dataset=cfg)))


def test_data_that_is_there_passes_the_check(root):
    for split in ('train', 'val'):
        cfg = dict(type='TinyImageNet', data_root=str(root), split=split, pipeline=LOAD)
        check_data(dict(val_dataloader=dict(dataset=cfg)))


def test_nothing_there_is_short(tmp_path):
    folder, missing = TinyImageNet.missing_files(tmp_path, 'val')
    assert folder == str(tmp_path / 'tiny-imagenet-200')
    assert missing == ['wnids.txt', 'words.txt', 'val/val_annotations.txt', 'val/images']
    (tmp_path / 'tiny-imagenet-200' / 'train' / '0').mkdir(parents=True)
    (tmp_path / 'tiny-imagenet-200' / 'wnids.txt').write_text('\n'.join(map(str, range(200))))
    (tmp_path / 'tiny-imagenet-200' / 'words.txt').touch()
    said = 'train/0/images and 199 more of 200 looked for'
    assert TinyImageNet.missing_files(tmp_path)[1] == [said]


def test_half_unpacked(root):
    (root / 'tiny-imagenet-200' / 'train' / 'n03' / 'images' / 'n03_2.JPEG').unlink()
    with pytest.raises(ValueError, match=r'most classes have 3 images.*n03: 2.*prepare_data'):
        TinyImageNet(data_root=root)
    (root / 'tiny-imagenet-200' / 'val' / 'images' / 'val_3.JPEG').unlink()
    with pytest.raises(ValueError, match=r'1 of the 4 images in .* \(val_3.JPEG\)'):
        TinyImageNet(data_root=root, split='val')


@pytest.mark.parametrize('line', ['val_4.JPEG\tn09\t0\t0\t1\t1', 'val_4.JPEG', '\n'])
def test_label_that_is_no_class(root, line):
    path = root / 'tiny-imagenet-200' / 'val' / 'val_annotations.txt'
    path.write_text(path.read_text() + line)
    with pytest.raises(ValueError, match='val_annotations.txt, line 5: .* none of the 3 classes'):
        TinyImageNet(data_root=root, split='val')


@pytest.mark.parametrize('text', ['', 'n01\nn02\nn01\n'])
def test_damaged_class_list(root, text):
    (root / 'tiny-imagenet-200' / 'wnids.txt').write_text(text)
    with pytest.raises(ValueError, match='wnids.txt holds'):
        TinyImageNet(data_root=root, split='val')


@pytest.mark.parametrize('content', [b'', b'no image'])
@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
def test_undecodable_image_is_named(root, content, backend):
    path = root / 'tiny-imagenet-200' / 'val' / 'images' / 'val_1.JPEG'
    path.write_bytes(content)
    pipeline = [dict(type='CheckedLoadImageFromFile', imdecode_backend=backend)]
    val = TinyImageNet(data_root=root, split='val', pipeline=pipeline)
    assert val[0]['img'].shape == (64, 64, 3)
    with pytest.raises(ValueError, match='(?s)cannot be decoded.*damaged') as error:
        val[1]
    assert str(path) in str(error.value)
    path.unlink()
    with pytest.raises(FileNotFoundError, match='val_1.JPEG'):
        val[1]


@pytest.mark.parametrize(
    ('kwargs', 'said'),
    [
        (dict(split='test'), "got 'test'; .*papers report 'val'"),
        (dict(ann_file='x'), 'does not take ann_file'),
        (dict(data_root=''), "data_root must be a path, got ''"),
        (dict(data_root=None), 'got None'),
    ],
)
def test_invalid_arguments(root, kwargs, said):
    with pytest.raises((TypeError, ValueError), match=said):
        TinyImageNet(**{'data_root': root, **kwargs})
