"""check_data finds half-unpacked folders of MMPretrain's data sets of image files."""

import shutil

import mat4py
import pytest
from mmpretrain.registry import DATASETS

from mmtmix.datasets import check_data
from mmtmix.datasets.sources import presence

pytestmark = pytest.mark.host


def write(root, *names, content=''):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


def pets(root):
    write(root, *(f'images/Cat_{i}.jpg' for i in range(5)))
    write(root, 'annotations/trainval.txt', content='Cat_0 1 1 1\nCat_1 37 1 1\n')
    write(root, 'annotations/test.txt', content='Cat_2 1 1 1\nCat_3 2 1 1\nCat_4 2 1 1\n')


def aircraft(root):
    write(root, *(f'data/images/{i}.jpg' for i in range(4)))
    for split, numbers in (('trainval', (0, 1)), ('train', (0,)), ('val', (1,)), ('test', (2, 3))):
        lines = ''.join(f'{i} Model B200\n' for i in numbers)
        write(root, f'data/images_variant_{split}.txt', content=lines)


def flowers(root):
    write(root, *(f'jpg/image_{i:05d}.jpg' for i in range(1, 7)))
    mat4py.savemat(str(root / 'imagelabels.mat'), dict(labels=[1, 2, 102, 4, 5, 6]))
    mat4py.savemat(str(root / 'setid.mat'), dict(trnid=[1, 5], valid=[3, 6], tstid=[2, 4]))


def cars(root):
    for split, labels in (('train', 'train_annos'), ('test', 'test_annos_withlabels')):
        write(root, f'cars_{split}/00001.jpg', f'cars_{split}/00002.jpg')
        (root / 'devkit').mkdir(exist_ok=True)
        content = dict(annotations={'fname': ['00001.jpg', '00002.jpg'], 'class': [1, 2]})
        mat4py.savemat(str(root / 'devkit' / f'cars_{labels}.mat'), content)


def whole_cars(root):
    write(root, 'car_ims/000001.jpg', 'car_ims/000002.jpg')
    paths = ['car_ims/000001.jpg', 'car_ims/000002.jpg']
    content = {'relative_im_path': paths, 'class': [1, 2], 'test': [0, 1]}
    mat4py.savemat(str(root / 'cars_annos.mat'), dict(annotations=content))


def imagenet(root):
    for split in ('train', 'val'):
        write(root, *(f'{split}/n{i:08d}/{i}.JPEG' for i in range(1000)))


def listed_imagenet(root):
    write(root, 'train/n01/a.JPEG', 'train/n02/b c.JPEG', 'val/a.JPEG', 'val/b.JPEG')
    write(root, 'meta/train.txt', content='n01/a.JPEG 0\nn02/b c.JPEG 1\n')
    write(root, 'meta/val.txt', content='a.JPEG 65\nb.JPEG 970\n')


SETS = {
    'pets': (pets, 'OxfordIIITPet', ('trainval', 'test')),
    'aircraft': (aircraft, 'FGVCAircraft', ('trainval', 'train', 'val', 'test')),
    'flowers': (flowers, 'Flowers102', ('trainval', 'train', 'val', 'test')),
    'cars': (cars, 'StanfordCars', ('train', 'test')),
    'whole cars': (whole_cars, 'StanfordCars', ('train', 'test')),
    'imagenet': (imagenet, 'ImageNet', ('train', 'val')),
    'listed imagenet': (listed_imagenet, 'ImageNet', ('train', 'val')),
}


def error_of(kind, root, **kwargs):
    """What is missing, as check_data says it; empty if nothing is."""
    dataset = dict(type=kind, data_root=str(root), **kwargs)
    try:
        check_data(dict(train_dataloader=dict(dataset=dataset)))
    except FileNotFoundError as error:
        text = str(error)
        assert f'folder:  {root}' in text and 'python tools/prepare_data.py ' in text
        return text.partition('missing: ')[2].partition('\n')[0]
    return ''


@pytest.mark.parametrize('name', SETS)
def test_what_is_whole_passes_and_is_read(name, tmp_path):
    make, kind, splits = SETS[name]
    make(tmp_path)
    for split in splits:
        assert not error_of(kind, tmp_path, split=split)
        assert len(DATASETS.build(dict(type=kind, data_root=str(tmp_path), split=split)))
    if kind != 'ImageNet':  # which has no default
        assert not error_of(kind, tmp_path)


@pytest.mark.parametrize('name', [name for name in SETS if ' ' not in name])
def test_an_empty_folder_is_found(name, tmp_path):
    _, kind, splits = SETS[name]
    for split in splits:
        assert error_of(kind, tmp_path, split=split)


GONE = [
    ('pets', 'test', 'annotations/test.txt', 'annotations/test.txt'),
    ('pets', 'trainval', 'images', 'images'),
    ('pets', 'test', 'images/Cat_3.jpg', 'images/Cat_3.jpg'),
    ('aircraft', 'train', 'data/images_variant_train.txt', 'data/images_variant_train.txt'),
    ('aircraft', 'test', 'data/images/3.jpg', 'data/images/3.jpg'),
    ('aircraft', 'val', 'data', 'data/images_variant_val.txt, data/images'),
    ('flowers', 'test', 'setid.mat', 'setid.mat'),
    ('flowers', 'train', 'imagelabels.mat', 'imagelabels.mat'),
    ('flowers', 'trainval', 'jpg/image_00006.jpg', 'jpg/image_00006.jpg'),
    ('cars', 'train', 'devkit', 'devkit/cars_train_annos.mat'),
    ('cars', 'test', 'cars_test', 'cars_test'),
    ('whole cars', 'test', 'car_ims', 'car_ims'),
    ('imagenet', 'val', 'val', 'val'),
    ('imagenet', 'train', 'train/n00000999', 'train (999 of 1000 class folders)'),
    ('imagenet', 'train', 'train/n00000007/7.JPEG', 'train/n00000007 (empty)'),
    ('listed imagenet', 'val', 'val', 'val'),
    ('listed imagenet', 'val', 'meta', 'val (0 of 1000 class folders)'),
    ('listed imagenet', 'train', 'train/n02', 'train/n02/b c.JPEG'),
]


@pytest.mark.parametrize(('name', 'split', 'gone', 'said'), GONE)
def test_what_a_half_unpacked_folder_lacks_is_named(name, split, gone, said, tmp_path):
    make, kind, splits = SETS[name]
    make(tmp_path)
    path = tmp_path / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert error_of(kind, tmp_path, split=split) == said
    if gone in ('images/Cat_3.jpg', 'cars_test', 'val'):  # the other split has all
        assert not error_of(kind, tmp_path, split=splits[0])


@pytest.mark.parametrize('name', ['pets', 'cars', 'listed imagenet'])
def test_an_empty_folder_of_images_is_named(name, tmp_path):
    make, kind, splits = SETS[name]
    make(tmp_path)
    images = {'pets': 'images', 'cars': 'cars_test', 'listed imagenet': 'val'}[name]
    shutil.rmtree(tmp_path / images)
    (tmp_path / images).mkdir()
    assert error_of(kind, tmp_path, split=splits[1]) == f'{images} (empty)'


@pytest.mark.parametrize(
    ('name', 'path', 'content', 'said'),
    [
        ('pets', 'annotations/test.txt', 'Cat_2 1 1 1\nCat_3 x 1 1\n', "line 2 is 'Cat_3 x 1 1'"),
        ('pets', 'annotations/test.txt', 'Cat_2 1\n', "line 1 is 'Cat_2 1'"),
        ('aircraft', 'data/images_variant_test.txt', '2\n', "line 1 is '2'"),
        ('listed imagenet', 'meta/val.txt', 'a.JPEG 65\nb.JPEG\n', "line 2 is 'b.JPEG'"),
        ('flowers', 'setid.mat', 'x' * 300, ''),
    ],
)
def test_a_damaged_list_is_named(name, path, content, said, tmp_path):
    make, kind, _ = SETS[name]
    make(tmp_path)
    write(tmp_path, path, content=content)
    split = 'val' if 'imagenet' in name else 'test'
    assert error_of(kind, tmp_path, split=split).startswith(f'{path} (damaged: {said}')
    if said:
        write(tmp_path, path)
        assert error_of(kind, tmp_path, split=split) == f'{path} (empty)'


def test_many_that_lack_are_counted_and_only_some_looked_for(tmp_path, monkeypatch):
    pets(tmp_path)
    shutil.rmtree(tmp_path / 'images')
    write(tmp_path, 'images/Cat_2.jpg')
    said = error_of('OxfordIIITPet', tmp_path, split='test')
    assert said == 'images/Cat_3.jpg and 1 more of 3 looked for'
    monkeypatch.setattr(presence, '_MOST_LOOKUPS', 2)
    assert error_of('OxfordIIITPet', tmp_path, split='test') == 'images/Cat_4.jpg'


def test_classes_of_ones_own_decide_how_many_folders_there_are(tmp_path):
    write(tmp_path, 'train/n01/a.JPEG', 'train/n02/a.JPEG', 'classes.txt')
    split = dict(split='train')
    assert error_of('ImageNet', tmp_path, **split) == 'train (2 of 1000 class folders)'
    for own in (dict(classes=['a', 'b']), dict(metainfo=dict(classes=('a', 'b')))):
        assert not error_of('ImageNet', tmp_path, **split, **own)
    assert not error_of('ImageNet', tmp_path, **split, classes=str(tmp_path / 'classes.txt'))
    said = error_of('ImageNet', tmp_path, **split, classes=['a', 'b', 'c'])
    assert said == 'train (2 of 3 class folders)'


def test_paths_and_lists_of_imagenet_may_be_given(tmp_path):
    write(tmp_path, 'photos/n01/a.JPEG', 'photos/x.txt')
    write(tmp_path, 'mine.txt', content='n01/a.JPEG 0\nn01/b.JPEG 0\n')
    for prefix in ('photos', dict(img_path='photos')):
        given = dict(data_prefix=prefix, ann_file='mine.txt')
        assert error_of('ImageNet', tmp_path, **given) == 'photos/n01/b.JPEG'
    unlabelled = dict(data_prefix='photos', with_label=False)
    assert not error_of('ImageNet', tmp_path, **unlabelled)
    assert error_of('ImageNet', tmp_path, data_prefix='photos') == (
        'photos (1 of 1000 class folders)'
    )
    assert not error_of('ImageNet', tmp_path, data_prefix='s3://bucket/photos')


def test_the_test_split_of_imagenet_has_no_labels(tmp_path):
    write(tmp_path, 'test/a.JPEG')
    assert not error_of('ImageNet', tmp_path, split='test')
    write(tmp_path, 'meta/test.txt', content='a.JPEG\n')
    assert not error_of('ImageNet', tmp_path, split='test')


def test_unknown_splits_and_classes_of_others_are_left_to_mmpretrain(tmp_path):
    assert not error_of('OxfordIIITPet', tmp_path, split='val')
    pet = DATASETS.get('OxfordIIITPet')

    class Own(pet):
        pass

    check_data(dict(train_dataloader=dict(dataset=dict(type=Own, data_root=str(tmp_path)))))
