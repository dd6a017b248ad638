"""AugMix's views: chains, weights, types and shapes."""

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmpretrain.registry import TRANSFORMS
from PIL import Image, ImageEnhance

from mmtmix.datasets.transforms.augmix_operations import CORRUPTIONS, OPERATIONS

pytestmark = pytest.mark.host

SHAPES = pytest.mark.parametrize('shape', [(20, 28), (20, 28, 1), (20, 28, 3)])


def build(**settings):
    return TRANSFORMS.build(dict(type='AugMix', **settings))


def picture(shape=(20, 28, 3)):
    return np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)


@pytest.fixture(autouse=True)
def _seeded():
    np.random.seed(0)  # noqa: NPY002  (what MMPretrain draws from)


@SHAPES
def test_views_are_the_image_and_two_others_packed_for_a_network(shape):
    image = picture(shape)
    copy = image.copy()
    pack = dict(type='PackInputs', _scope_='mmpretrain')
    packed = Compose([build(), TRANSFORMS.build(pack)])(dict(img=image, gt_label=2))
    views = packed['inputs']
    channels = 3 if shape[2:] == (3,) else 1
    assert views.shape == (3, channels, 20, 28) and views.dtype == torch.uint8
    assert np.array_equal(views[0].permute(1, 2, 0).numpy().reshape(shape), image)
    assert not torch.equal(views[1], views[0]) and not torch.equal(views[1], views[2])
    assert np.array_equal(image, copy)
    assert packed['data_samples'].gt_label.item() == 2


@SHAPES
def test_without_views_it_gives_one_image_of_the_same_form(shape):
    results = dict(img=picture(shape), gt_label=2)
    found = build(views=False)(results)
    assert found['img'].shape == shape and found['img'].dtype == np.uint8
    assert not np.array_equal(found['img'], results['img'])
    assert np.array_equal(results['img'], picture(shape))


class Chains:
    """Stands in for the chains: each gives one grey value."""

    def __init__(self, values):
        self.values = list(values)

    def __call__(self, image):
        return np.full(image.shape, self.values.pop(0), np.uint8)


def test_chains_are_averaged_and_blended_with_the_image(monkeypatch):
    transform = build(width=3, alpha=2.0)
    monkeypatch.setattr(transform, '_chain', Chains([10, 200, 90]))
    image = picture()
    found = transform.augment(image)
    np.random.seed(0)  # noqa: NPY002
    weights, share = np.random.dirichlet([2.0] * 3), np.random.beta(2.0, 2.0)  # noqa: NPY002
    average = float(weights @ [10, 200, 90])
    exact = (1 - share) * image + share * average
    assert np.abs(found - exact).max() <= 0.5 + 1e-6  # rounded, not cut off


def test_equal_chains_give_the_image_back(monkeypatch):
    transform = build()
    monkeypatch.setattr(transform, '_chain', lambda image: image)
    assert np.array_equal(transform.augment(picture()), picture())


@pytest.mark.parametrize(('depth', 'expected'), [(-1, {1, 2, 3}), (1, {1}), (5, {5})])
def test_chains_are_as_deep_as_asked_with_levels_below_the_severity(depth, expected):
    transform, levels = build(depth=depth, severity=4), []
    transform._operations = [lambda image, level: levels.append(level) or image]
    depths = set()
    for _ in range(60):
        before = len(levels)
        assert np.array_equal(transform._chain(picture()), picture())
        depths.add(len(levels) - before)
    assert depths == expected
    assert 0.1 <= min(levels) < 0.8 and 3.2 < max(levels) <= 4


def test_operations_of_the_corruption_benchmarks_are_left_out_unless_asked_for():
    assert len(build()._operations) == 9
    assert len(build(all_ops=True)._operations) == 13
    assert not set(OPERATIONS) & set(CORRUPTIONS)
    assert set(CORRUPTIONS) == {'color', 'contrast', 'brightness', 'sharpness'}


@pytest.mark.parametrize('mode', ['L', 'RGB'])
@pytest.mark.parametrize('name', [*OPERATIONS, *CORRUPTIONS])
@pytest.mark.parametrize('level', [0.1, 3, 10])
def test_every_operation_keeps_size_and_mode(name, mode, level):
    image = Image.fromarray(picture()).convert(mode)
    found = (OPERATIONS | CORRUPTIONS)[name](image, level)
    assert (found.size, found.mode) == (image.size, image.mode)


@pytest.mark.parametrize(('name', 'axis'), [('translate_x', 1), ('translate_y', 0)])
def test_a_translation_moves_by_its_level_and_leaves_black(name, axis):
    array = picture((30, 60))
    length = array.shape[axis] // 3 // 2  # level 5: half of a third
    found = {np.asarray(OPERATIONS[name](Image.fromarray(array), 5)).tobytes() for _ in range(20)}
    moved = []
    for sign in (1, -1):
        shifted = np.roll(array, sign * length, axis)
        index = [slice(None)] * 2
        index[axis] = slice(length) if sign > 0 else slice(-length, None)
        shifted[tuple(index)] = 0
        moved.append(shifted.tobytes())
    assert found == set(moved)


@pytest.mark.parametrize(('level', 'bits'), [(1, 4), (3, 3), (5, 2), (10, 1)])
def test_posterize_keeps_fewer_bits_at_higher_levels(level, bits):
    found = np.asarray(OPERATIONS['posterize'](Image.fromarray(picture()), level))
    mask = 256 - 2 ** (8 - bits)
    assert np.array_equal(found, picture() & mask)


def test_solarize_inverts_what_is_bright():
    found = np.asarray(OPERATIONS['solarize'](Image.fromarray(picture()), 2.5))
    assert np.array_equal(found, np.where(picture() < 192, picture(), 255 - picture()))


def test_colour_depends_on_the_order_of_the_channels():
    image = picture()
    found = {}
    for order in ('bgr', 'rgb'):
        transform = build(all_ops=True, depth=1, channel_order=order)
        transform._operations = [lambda image, level: ImageEnhance.Color(image).enhance(0)]
        found[order] = transform._chain(image)
    assert not np.array_equal(found['bgr'], found['rgb'])
    grey = np.asarray(Image.fromarray(image[..., ::-1].copy()).convert('L'))
    assert np.array_equal(found['bgr'], np.stack([grey] * 3, axis=2))


def test_it_repeats_with_the_seed():
    views = []
    for _ in range(2):
        np.random.seed(7)  # noqa: NPY002
        views.append(build(all_ops=True)(dict(img=picture()))['img'])
    assert np.array_equal(*views)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(severity=0.5), 'severity must be a finite number >= 1 and <= 10'),
        (dict(severity=11), 'severity must be a finite number >= 1 and <= 10'),
        (dict(width=0), 'width must be an integer >= 1'),
        (dict(depth=0), 'depth must be an integer >= 1, got 0; -1 draws it'),
        (dict(alpha=0), 'alpha must be a finite number > 0'),
        (dict(channel_order='gbr'), 'channel_order must be one of'),
    ],
)
def test_arguments_out_of_range_are_refused(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build(**settings)


@pytest.mark.parametrize(
    ('image', 'error', 'message'),
    [
        (np.zeros((4, 4, 3), np.float32), TypeError, 'uint8 images, got float32'),
        ([[0]], TypeError, 'uint8 images, got list'),
        (np.zeros((4, 4, 4), np.uint8), ValueError, r'got \(4, 4, 4\)'),
    ],
)
def test_other_images_are_refused(image, error, message):
    with pytest.raises(error, match=message):
        build()(dict(img=image))


def test_it_tells_its_settings():
    assert repr(build(width=2)).startswith('AugMix(severity=3, width=2, depth=-1, alpha=1.0')
