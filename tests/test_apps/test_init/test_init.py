"""`mmtmix init`: what it writes for a folder of images trains, and what it refuses."""

import argparse
import hashlib
import re

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from mmtmix.apps.init import forecast
from mmtmix.apps.init.command import with_defaults
from mmtmix.apps.init.images import measure, read_folder
from mmtmix.apps.init.network import build_model
from mmtmix.cli.main import call, run
from mmtmix.utils import load_config

pytestmark = pytest.mark.host

SMALL = ('--backbone', 'wrn10_1', '--epochs', '6', '--lr', '0.1', '--search-epochs', '1')


def write_images(folder, classes, count, size=(36, 32)):
    rng = np.random.default_rng(0)
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            image = rng.integers(0, 40, (*size, 3)) + 100 * (number % 3)
            cv2.imwrite(str(folder / name / f'{i}.png'), image.astype(np.uint8))


@pytest.fixture(scope='module')
def project(tmp_path_factory):
    """A folder with images in data/birds, whose four configs were written and trained."""
    folder = tmp_path_factory.mktemp('project')
    write_images(folder / 'data/birds/train', ['a b', 'c', 'd'], 8)
    write_images(folder / 'data/birds/val', ['a b', 'c', 'd'], 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv('LOCAL_RANK', '0')
        call('init', ['data/birds', *SMALL])
        few = ['--cfg-options', 'train_dataloader.num_workers=0', 'val_dataloader.num_workers=0']
        call('train', ['configs/birds/transformmix.py', *few])
        call('train', ['configs/birds/cutmix.py', *few, 'train_cfg.max_epochs=1'])
    return folder


def test_the_four_configs_train(project):
    products = ('teacher/last.pth', 'search/mixer.pth', 'transformmix/last.pth', 'cutmix/last.pth')
    for product in products:
        assert (project / 'work_dirs/birds' / product).is_file()


def test_the_configs_hold_what_the_images_are(project, monkeypatch):
    monkeypatch.chdir(project)
    cfg = load_config('configs/birds/cutmix.py')
    assert cfg.data_preprocessor.num_classes == cfg.model.head.num_classes == 3
    assert cfg.model.head.in_channels == 64
    assert cfg.train_dataloader.dataset.pipeline[1] == dict(
        type='ResizeEdge', scale=32, edge='short'
    )
    images = [cv2.imread(str(path)) for path in (project / 'data/birds/train').rglob('*.png')]
    pixels = np.concatenate([image[..., ::-1].reshape(-1, 3) for image in images])
    assert np.allclose(cfg.data_preprocessor.mean, pixels.mean(0), atol=0.02)
    assert np.allclose(cfg.data_preprocessor.std, pixels.std(0), atol=0.02)
    assert (project / 'configs/birds/classes.txt').read_text() == 'a b\nc\nd\n'


def test_both_classifiers_mix_every_other_batch_and_corners_move_slowly(project, monkeypatch):
    monkeypatch.chdir(project)
    for name in ('transformmix', 'cutmix'):
        assert load_config(f'configs/birds/{name}.py').model.train_cfg.probs == [0.5]
    search = load_config('configs/birds/search.py').optim_wrapper
    ours = load_config('mmtmix::transformmix/search_wrn16_fashionmnist32.py').optim_wrapper
    for name in ('optimizer', 'clip_grad', 'paramwise_cfg'):
        assert search[name] == ours[name]
    for file in (project / 'configs/birds').glob('*.py'):
        assert 'docs/' not in file.read_text()  # an installed package has none


def test_nothing_is_overwritten_without_force(project, monkeypatch, capfd):
    monkeypatch.chdir(project)
    before = (project / 'configs/birds/teacher.py').read_text()
    (project / 'configs/birds/teacher.py').write_text('# mine\n')
    assert run('init', ['data/birds', *SMALL], 'mmtmix init') == 2
    assert 'configs/birds/teacher.py' in capfd.readouterr().err
    assert (project / 'configs/birds/teacher.py').read_text() == '# mine\n'
    call('init', ['data/birds', *SMALL, '--force'])
    assert (project / 'configs/birds/teacher.py').read_text() == before
    assert 'next: mmtmix train configs/birds/transformmix.py' in capfd.readouterr().out


def test_one_folder_of_classes_is_split_by_a_stated_rule(tmp_path, monkeypatch):
    write_images(tmp_path / 'all', ['x', 'y'], 20, (8, 8))
    folder = read_folder(tmp_path / 'all')
    assert (len(folder.train), len(folder.val)) == (36, 4)
    for label, name in enumerate('xy'):
        paths = [f'{name}/{i}.png' for i in range(20)]
        first = sorted(paths, key=lambda path: hashlib.sha1(path.encode()).hexdigest())[:2]
        assert {path for path, its in folder.val if its == label} == set(first)
    assert not {path for path, _ in folder.train} & {path for path, _ in folder.val}
    assert measure(folder, None)[0] == 32
    monkeypatch.chdir(tmp_path)
    call('init', ['all', '--backbone', 'wrn10_1', '--stats', 'imagenet', '--out', 'here'])
    dataset = load_config('here/teacher.py').val_dataloader.dataset
    assert (dataset.ann_file, dataset.data_prefix) == ('here/val.txt', 'all')
    text = ''.join(f'{path} {label}\n' for path, label in folder.val)
    assert (tmp_path / 'here/val.txt').read_text() == text
    assert load_config('here/teacher.py').data_preprocessor.mean == [123.675, 116.28, 103.53]


@pytest.mark.parametrize(('num_images', 'epochs'), [(20, 100), (108, 55), (1000, 6), (9000, 5)])
def test_quick_bounds_the_images_that_a_training_sees(num_images, epochs):
    names = ('backbone', 'image_size', 'epochs', 'search_epochs', 'batch_size')
    args = argparse.Namespace(quick=True, **dict.fromkeys(names))
    found = with_defaults(args, num_images)
    assert (found.backbone, found.image_size) == ('wrn16_1', 64)
    assert (found.epochs, found.search_epochs) == (epochs, epochs // 2)
    assert found.batch_size == (10 if num_images == 20 else 32)
    args.epochs, args.backbone = 8, 'resnet34'
    found = with_defaults(args, num_images)
    assert (found.epochs, found.search_epochs, found.backbone) == (8, 4, 'resnet34')
    args.quick, args.epochs = False, None
    found = with_defaults(args, num_images)
    assert (found.epochs, found.search_epochs, found.image_size) == (100, 10, None)


def test_the_forecast_counts_passes_and_names_quick_where_they_are_long(monkeypatch):
    model = dict(build_model('wrn10_1', 3, 32, None), image_size=32)
    assert 0 < forecast.seconds_per_image(model) < 10
    monkeypatch.setattr(forecast, 'seconds_per_image', lambda model: 0.06)
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    # 100 images, 6 epochs of a classifier and 6 * 7/6 with a teacher, 3 * 4/3 of the search
    assert 'about 2 minutes on one core' in forecast.advise(model, 100, 6, 3)
    assert '--quick' not in forecast.advise(model, 100, 6, 3)
    assert re.search('about 3 hours.*--quick', forecast.advise(model, 10000, 6, 3))
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    assert forecast.advise(model, 10000, 6, 3) == ''


GIVEN = ('mmtmix::simple/wrn16_fashionmnist32.py', 'mmtmix://wrn16_fashionmnist32')


def test_with_a_module_nothing_is_searched(project, monkeypatch, capfd):
    """With a teacher as well nothing is trained before, whatever classes the teacher has."""
    monkeypatch.chdir(project)
    words = ['data/birds', *SMALL, '--mixer', 'mmtmix://fashionmnist_k3', '--out', 'configs/own']
    call('init', words)
    assert 'makes the teacher first;' in capfd.readouterr().out
    cfg = load_config('configs/own/transformmix.py')
    assert [each['config'] for each in cfg.requires] == ['configs/own/teacher.py']
    augment = cfg.model.train_cfg.augments
    assert (augment.mixer, augment.num_mix) == ('mmtmix://fashionmnist_k3', 3)
    assert 'cam_class' not in augment
    assert cfg.model.train_cfg.probs == [0.5]
    assert not (project / 'configs/own/search.py').exists()


def test_a_given_teacher_and_module_train_a_classifier_of_colour_photos(
    project, monkeypatch, capfd
):
    monkeypatch.chdir(project)
    words = ['data/birds', *SMALL, '--mixer', 'mmtmix://fashionmnist_k2', '--teacher', *GIVEN]
    call('init', [*words, '--out', 'configs/ready'])
    assert 'trains nothing before;' in capfd.readouterr().out
    cfg = load_config('configs/ready/transformmix.py')
    assert 'requires' not in cfg
    assert cfg.model.train_cfg.augments.cam_class == 'predicted'
    few = ['--cfg-options', 'train_dataloader.num_workers=0', 'val_dataloader.num_workers=0']
    few += ['train_cfg.max_epochs=1', 'model.train_cfg.probs=[1.0]']
    call('train', ['configs/ready/transformmix.py', *few])
    assert (project / 'work_dirs/ready/transformmix/last.pth').is_file()
    (log,) = (project / 'work_dirs/ready/transformmix').glob('*/*.log')
    text = log.read_text()
    assert 'mmtmix://wrn16_fashionmnist32' in text
    assert 'The teacher gets images normalised by' in text


WRONG = {
    'nothing': ((), (), FileNotFoundError, r"'none' is no folder"),
    'no images': (('a', 'b'), (), FileNotFoundError, 'no image is in the folders of'),
    'one class': (('a/1.jpg', 'a/2.jpg'), (), ValueError, "holds one class, 'a'"),
    'too few': (
        ('a/1.jpg', 'b/1.jpg', 'b/2.jpg'),
        (),
        ValueError,
        "a single image is in 'data/a'; each class needs 2, ",
    ),
    'empty': (
        ('a/1.jpg', 'a/2.jpg', 'b'),
        (),
        ValueError,
        r"no image is in 'data/b': it is empty, or none .* in \.jpg .*remove the folder",
    ),
    'other endings': (
        ('train/a/1.jpg', 'train/b/1.heic', 'train/c', 'val/a/1.jpg', 'val/b/1.jpg', 'val/c'),
        (),
        ValueError,
        r"in each of 'data/train/b', 'data/train/c': .*convert others such as \.heic to \.jpg",
    ),
    'no val': (('train/a/1.jpg', 'train/b/1.jpg'), (), FileNotFoundError, 'no val/; add it'),
    'classes differ': (
        ('train/a/1.jpg', 'train/b/1.jpg', 'val/a/1.jpg', 'val/B/1.jpg'),
        (),
        ValueError,
        'same folders of classes, but 2 are in one of them alone: B, b',
    ),
    'backbone': (None, ('--backbone', 'resnet19'), ValueError, 'did you mean .*resnet1'),
    'arguments': (None, ('--backbone', 'ResNet'), ValueError, 'cannot be built by its name alone'),
    'too deep': (None, ('--backbone', 'resnet18'), ValueError, 'to one position'),
    'size': (
        None,
        ('--backbone', 'mlp_mixer_base_patch16'),
        ValueError,
        '--image-size 224 fits it',
    ),
    'batch': (None, ('--batch-size', '99'), ValueError, 'must be at most 16'),
    'weights': (None, ('--pretrained', 'no.pth'), FileNotFoundError, "'no.pth' does not exist"),
    'no module': (
        None,
        ('--mixer', 'mmtmix://fashionmnist'),
        ValueError,
        "did you mean 'mmtmix://fashionmnist_k",
    ),
    'no teacher': (
        None,
        ('--mixer', 'mmtmix://fashionmnist_k2', '--teacher', GIVEN[0], 'no.pth'),
        FileNotFoundError,
        "--teacher: checkpoint 'no.pth' does not exist",
    ),
    'default': (None, ('--pretrained',), ValueError, 'not for wrn10_1; give a checkpoint'),
}


@pytest.mark.parametrize('kind', WRONG)
def test_what_cannot_work_is_refused_and_nothing_is_written(tmp_path, monkeypatch, kind):
    files, more, error, said = WRONG[kind]
    monkeypatch.chdir(tmp_path)
    for file in files or ():
        path = tmp_path / 'data' / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix:
            path.touch()
        else:
            path.mkdir()
    if files is None:
        write_images(tmp_path / 'data', ['a', 'b'], 9, (8, 8))
    backbone = () if '--backbone' in more else ('--backbone', 'wrn10_1')
    with pytest.raises(error, match=said):
        call('init', ['data' if files != () else 'none', *backbone, *more])
    assert not (tmp_path / 'configs').exists()


def test_backbones_of_mmpretrain_get_heads_that_fit(tmp_path):
    mobile = build_model('mobilenet_v2_1x', 5, 64, None)
    assert mobile['head'] == dict(type='LinearClsHead', num_classes=5, in_channels=1280)
    by_class = build_model('MobileNetV2', 5, 64, None)
    assert by_class['head']['in_channels'] == 1280
    assert by_class['neck'] == dict(type='GlobalAveragePooling')
    token = build_model('t2t-vit-t-14', 5, 224, None)
    assert (token['neck'], token['head']['in_channels']) == (None, 384)
    pretrained = build_model('resnet18', 5, 64, 'default')
    assert pretrained['backbone']['init_cfg']['checkpoint'] == 'torchvision://resnet18'
    assert Config(dict(model=pretrained)).pretty_text
