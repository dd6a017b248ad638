"""Glyphs: what is in the images, and that each depends on its number alone."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import DATASETS

from mmtmix.datasets import Glyphs
from mmtmix.datasets.glyphs import bundle, scenes
from mmtmix.datasets.glyphs.draws import Draws
from mmtmix.datasets.glyphs.settings import NUM_IMAGES, STYLES

pytestmark = pytest.mark.host

# of the release, to which results refer
MEANS = [198.26, 155.73, 64.78, 80.4, 85.04]
VISIBLE = 4021
PLAIN = dict(clutter=0, jitter=0.0, turn=0.0, flip=False, background='plain')


@pytest.fixture(scope='module')
def glyphs():
    return Glyphs(num_images=300, occluders=2, noise=4.0)


def test_an_item_has_an_image_a_label_a_mask_and_boxes(glyphs):
    item = glyphs.get_data_info(7)
    assert item.keys() == {'img', 'gt_label', 'gt_mask', 'gt_bboxes', 'sample_idx'}
    assert item['img'].shape == (32, 32, 3) and item['img'].dtype == np.uint8
    assert item['gt_mask'].dtype == np.uint8 and set(np.unique(item['gt_mask'])) == {0, 1}
    rows, columns = item['gt_mask'].nonzero()
    box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert item['gt_bboxes'].tolist() == [box] and item['gt_bboxes'].dtype == np.float32
    assert item['gt_label'] == 7 == glyphs.get_gt_labels()[7]
    assert len(glyphs) == 300 and len(glyphs.metainfo['classes']) == 100


def test_the_first_images_of_a_large_set_are_those_of_a_small_one(glyphs):
    small = Glyphs(num_images=5, occluders=2, noise=4.0)
    for number in range(5):
        np.testing.assert_array_equal(small[number]['img'], glyphs[number]['img'])
        np.testing.assert_array_equal(small[number]['gt_mask'], glyphs[number]['gt_mask'])
    late = Glyphs(num_images=300, occluders=2, noise=4.0, indices=[299])  # behind a chunk's end
    np.testing.assert_array_equal(late[0]['img'], glyphs[299]['img'])


def test_pixels_of_this_release_stay():
    found = Glyphs('test', num_images=40, occluders=1, noise=3.0, objects=2, size=24)
    means = [found[number]['img'].mean() for number in range(0, 40, 8)]
    assert means == pytest.approx(MEANS, abs=0.02)  # a bit of rounding may differ
    assert sum(int(found[number]['gt_mask'].sum()) for number in range(40)) == pytest.approx(
        VISIBLE, abs=3
    )


def test_seeds_and_splits_have_other_images():
    images = [
        Glyphs(split, num_images=1, styles=['noto'], seed=seed)[0]['img']
        for split, seed in (('train', 0), ('train', 1), ('val', 0), ('test', 0))
    ]
    assert len({image.tobytes() for image in images}) == 4


def test_default_styles_and_photos_of_the_splits_are_disjoint():
    index = bundle.load_index()
    named = [style for styles in STYLES.values() for style in styles]
    assert sorted(named) == sorted(index['styles'])
    owners: dict[str, set[str]] = {}
    for photo, split in index['photos']:
        owners.setdefault(photo, set()).add(split)
    assert all(len(splits) == 1 for splits in owners.values())
    assert set.union(*owners.values()) == set(NUM_IMAGES)


def test_an_object_alone_is_its_icon():
    """At its own size in the centre, the visible pixels are the icon's."""
    made = Glyphs(
        num_images=12, size=48, object_size=(1, 1), place='centre', styles=['twemoji'], **PLAIN
    )
    icons = bundle.load_bundle().glyphs['twemoji']
    for number in range(12):
        item, icon = made[number], icons[number].astype(float)
        opaque = icon[..., 3] == 255
        np.testing.assert_allclose(item['img'][opaque], icon[opaque][:, :3], atol=1)
        np.testing.assert_array_equal(item['gt_mask'], icon[..., 3] >= 127.5)
        outside = item['img'][icon[..., 3] == 0]
        assert (outside == outside[0]).all()  # the plain background


def test_objects_lie_inside_and_have_the_wanted_size():
    made = Glyphs(num_images=200, size=64, object_size=(0.25, 0.5), styles=['noto'], **PLAIN)
    boxes = np.concatenate([item['gt_bboxes'] for item in made])
    assert len(boxes) == 200 and boxes.min() >= 0 and boxes.max() <= 64
    longer = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    assert longer.min() >= 0.25 * 64 - 3 and longer.max() <= 0.5 * 64 + 1
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert centres.min() < 14 and centres.max() > 50


def test_occluders_hide_a_part_and_leave_enough():
    free = Glyphs(num_images=150)
    hidden = Glyphs(num_images=150, occluders=3, min_visible=0.5)
    shares = [
        item['gt_mask'].sum() / other['gt_mask'].sum()
        for item, other in zip(hidden, free, strict=True)
    ]
    assert min(shares) >= 0.5 and max(shares) == 1 and np.mean(shares) < 0.9
    for item, other in zip(hidden, free, strict=True):
        assert not (item['gt_mask'] > other['gt_mask']).any()


def test_clutter_is_of_classes_that_are_not_in_the_task(monkeypatch):
    seen = []
    maker = scenes.SceneMaker(
        bundle.load_bundle(), Glyphs(num_images=1).scene, 'train', STYLES['train'], 100, 0
    )
    place = maker._glyphs.place
    monkeypatch.setattr(
        maker._glyphs,
        'place',
        lambda number, pixels: (seen.append(number), place(number, pixels))[1],
    )
    maker.make(200)
    objects, *clutter = seen
    assert (objects % 200 == np.arange(200) % 100).all()
    assert len(clutter) == 4 and all((each % 200 >= 100).all() for each in clutter)
    assert len(np.unique(np.concatenate(clutter))) > 200  # of 400 in four styles


def test_all_classes_leave_photos_alone_as_clutter():
    made = Glyphs(num_images=200, num_classes=200)
    assert made[199]['gt_label'] == 199


def test_several_objects_have_a_box_each():
    made = Glyphs(num_images=60, objects=3, object_size=(0.2, 0.3), size=48)
    counts = [len(item['gt_bboxes']) for item in made]
    assert max(counts) == 3 and min(counts) >= 1


def test_draws_are_even_and_normal():
    draws = Draws(3, 1, np.arange(20_000))
    values = draws.uniform(7, -1, 3)
    assert values.min() >= -1 and values.max() < 3
    assert np.histogram(values, 10)[0] == pytest.approx(2000, abs=200)
    assert abs(np.corrcoef(values, draws.uniform(8))[0, 1]) < 0.03
    assert abs(np.corrcoef(values[1:], values[:-1])[0, 1]) < 0.03
    noise = draws.normal(9, 5)
    assert noise.shape == (20_000, 5)
    assert noise.mean() == pytest.approx(0, abs=0.02) and noise.std() == pytest.approx(1, abs=0.01)


def test_the_bundled_files_are_those_of_the_index(tmp_path, monkeypatch):
    index = bundle.load_index()
    assert len(index['classes']) == len(set(index['classes'])) == 200
    assert bundle.load_bundle().glyphs['noto'].shape == (200, 48, 48, 4)
    named = {f'{style}.png' for style in (*index['styles'], 'photos')}
    assert {path.name for path in bundle.FOLDER.glob('*.png')} == named
    notice = (bundle.FOLDER / 'NOTICE').read_text(encoding='utf-8')
    assert all(name in notice for name in named)
    assert all(f'    {photo} ' in notice for photo, _ in index['photos'])
    changed = {**index, 'sha256': dict.fromkeys(index['sha256'], hashlib.sha256().hexdigest())}
    with pytest.raises(ValueError, match=r'noto\.png is damaged'):
        bundle._read('noto.png', changed)
    monkeypatch.setattr(bundle, 'FOLDER', tmp_path)
    with pytest.raises(FileNotFoundError, match='install mmtmix again'):
        bundle._read('noto.png', index)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(split='tests'), "split .* did you mean 'test'"),
        (dict(size=4), 'size must be an integer >= 8'),
        (dict(object_size=(0.5, 0.2)), 'object_size .* rising order'),
        (dict(styles=['noto', 'noto']), 'styles must be a list of different names'),
        (dict(styles=['notto']), "did you mean 'noto'"),
        (dict(num_classes=201), 'num_classes must be an integer >= 2 and <= 200'),
        (dict(data_root='data'), 'does not take data_root'),
        (dict(clutterr=3), "no 'clutterr'; did you mean 'clutter'"),
    ],
)
def test_bad_arguments(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Glyphs(**settings)


CONFIGS = {'glyphs': 32, 'glyphs48': 48, 'glyphs_demo': 32, 'glyphs_grid': 32}


@pytest.mark.parametrize('name', CONFIGS)
def test_base_configs(name):
    cfg = Config.fromfile(f'configs/_base_/datasets/{name}.py')
    loaders = [cfg[f'{split}_dataloader'] for split in ('train', 'val', 'test')]
    # the training set of glyphs_grid is a resident one
    datasets = [loader.dataset.get('dataset', loader.dataset) for loader in loaders]
    splits = [dataset.split for dataset in datasets]
    assert splits == ['train', 'test' if name == 'glyphs_grid' else 'val', 'test']
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        for config in datasets:
            dataset = DATASETS.build(dict(config, num_images=5))
            item = dataset[3]
            assert item['inputs'].shape == (3, *item['data_samples'].gt_mask.shape)
            assert item['inputs'].shape[1] == CONFIGS[name]
            assert len(dataset.metainfo['classes']) == cfg.data_preprocessor.num_classes
    assert not cfg.data_preprocessor.to_rgb  # images are in RGB


def test_the_statistics_are_those_of_the_training_images(glyphs):
    cfg = Config.fromfile('configs/_base_/datasets/glyphs.py')
    pixels = np.stack([item['img'] for item in glyphs]).reshape(-1, 3)
    assert cfg.data_preprocessor.mean == pytest.approx(pixels.mean(0), abs=6)
    assert cfg.data_preprocessor.std == pytest.approx(pixels.std(0), abs=4)


def test_the_index_is_plain_data():
    assert json.loads((bundle.FOLDER / 'index.json').read_text()) == bundle.load_index()
