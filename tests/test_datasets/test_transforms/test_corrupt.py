"""Corrupt: the library's corruptions, always the same ones, at any size and channel order."""

import builtins

import imagecorruptions
import numpy as np
import pytest
from mmpretrain.registry import TRANSFORMS

from mmtmix.datasets.transforms import corrupt as module
from mmtmix.datasets.transforms.corrupt import KINDS, compile_corruptions, corrupt

pytestmark = pytest.mark.host

CHEAP = ('gaussian_noise', 'impulse_noise', 'frost', 'zoom_blur', 'pixelate', 'jpeg_compression')


def photo(height=40, width=48, channels=(3,), seed=0):
    generator = np.random.default_rng(seed)
    coarse = generator.integers(20, 236, size=(4, 4, *channels))
    rows, columns = (np.arange(side) * 4 // side for side in (height, width))
    grain = generator.integers(-20, 20, size=(height, width, *channels))
    return (coarse[rows][:, columns] + grain).astype(np.uint8)


def transform(image, number=0, kind='gaussian_noise', order='rgb', **settings):
    cfg = dict(type='Corrupt', kind=kind, severity=3, channel_order=order, **settings)
    return TRANSFORMS.build(cfg)(dict(img=image, sample_idx=number))['img']


def test_the_kinds_are_those_of_the_library_and_the_benchmark():
    assert list(KINDS) == imagecorruptions.get_corruption_names('common')


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('shape', [(28, 28), (28, 28, 1), (33, 50, 3), (8, 40, 3)])
def test_every_kind_keeps_shape_and_range_and_repeats(kind, shape, capsys):
    image = photo(*shape[:2], shape[2:])
    before = image.copy()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    found = corrupt(image, kind, 2, seed=7)
    assert found.shape == image.shape and found.dtype == np.uint8
    assert not np.array_equal(found, image)
    np.testing.assert_array_equal(corrupt(image, kind, 2, seed=7), found)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('kind', CHEAP)
def test_it_is_the_librarys_own_corruption(kind):
    image = photo()
    np.random.seed(5)  # noqa: NPY002
    own = dict(seed=5) if kind == 'impulse_noise' else {}
    wanted = imagecorruptions.corrupt(image, 4, kind, **own)
    np.testing.assert_array_equal(corrupt(image, kind, 4, seed=5), wanted)


def test_the_draw_depends_on_number_kind_severity_and_seed():
    image = photo()
    first = transform(image, 3)
    np.testing.assert_array_equal(transform(image, 3), first)
    assert not np.array_equal(transform(image, 4), first)
    assert not np.array_equal(transform(image, 3, seed=1), first)


@pytest.mark.parametrize('kind', ['frost', 'brightness'])
def test_bgr_images_are_corrupted_as_rgb_ones(kind):
    image = photo()
    rgb = transform(image, kind=kind)
    bgr = transform(image[..., ::-1].copy(), kind=kind, order='bgr')
    np.testing.assert_array_equal(bgr[..., ::-1], rgb)
    wrong = transform(image[..., ::-1].copy(), kind=kind)
    assert not np.array_equal(wrong[..., ::-1], rgb) or kind == 'brightness'


def test_noise_of_grey_images_has_its_strength():
    grey = np.full((64, 64), 128, np.uint8)
    measured = corrupt(grey, 'gaussian_noise', 1, seed=0).astype(float).std()
    assert measured == pytest.approx(0.08 * 255, rel=0.05)


def test_floats_and_unknown_kinds_are_refused():
    with pytest.raises(TypeError, match='uint8'):
        transform(photo().astype(np.float32))
    with pytest.raises(ValueError, match="did you mean 'fog'"):
        transform(photo(), kind='fogg')
    with pytest.raises(ValueError, match='channel_order'):
        transform(photo(), order='hsv')
    with pytest.raises(ValueError, match='severity'):
        TRANSFORMS.build(dict(type='Corrupt', kind='fog', severity=6, channel_order='rgb'))


def test_without_the_library_the_error_has_the_command(monkeypatch):
    load = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == 'imagecorruptions':
            raise ImportError('No module named imagecorruptions')
        return load(name, *args, **kwargs)

    module.corrupter.cache_clear()
    monkeypatch.setattr(builtins, '__import__', refuse)
    with pytest.raises(ImportError, match=r"pip install 'mmtmix\[corruptions\]'"):
        transform(photo())


def test_what_is_compiled_is_compiled_once():
    compile_corruptions()
    assert compile_corruptions() < 0.5
