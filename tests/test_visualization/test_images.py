"""mmtmix.visualization.images."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from mmtmix.models import AttentiveMix, SaliencyMix, SampleMixup
from mmtmix.models.teachers import FrozenTeacher, InputStats
from mmtmix.visualization import denormalize
from mmtmix.visualization.images import scale_saliency, show_picture

PIXELS = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).view(2, 3, 4, 5) * 2
MEAN, STD = (120.0, 110.0, 100.0), (60.0, 50.0, 40.0)


def normalized(pixels):
    mean, std = (torch.tensor(v).view(-1, 1, 1) for v in (MEAN, STD))
    return (pixels - mean) / std


def test_normalized_rgb_images_come_back():
    pictures = denormalize(normalized(PIXELS), InputStats(MEAN, STD))
    expected = PIXELS.permute(0, 2, 3, 1).numpy() / 255
    np.testing.assert_allclose(pictures, expected, atol=1e-6)


def test_bgr_images_are_shown_in_rgb():
    pictures = denormalize(normalized(PIXELS), InputStats(MEAN, STD), channel_order='bgr')
    expected = PIXELS.flip(1).permute(0, 2, 3, 1).numpy() / 255
    np.testing.assert_allclose(pictures, expected, atol=1e-6)


def test_leading_dimensions_and_low_precision():
    images = normalized(PIXELS)[:, None].expand(-1, 2, -1, -1, -1).bfloat16()
    pictures = denormalize(images, InputStats(MEAN, STD))
    assert pictures.shape == (2, 2, 4, 5, 3) and pictures.dtype == np.float32


def test_one_mean_serves_all_channels_and_none_means_pixels():
    images = (PIXELS - 100) / 50
    expected = PIXELS.permute(0, 2, 3, 1).numpy() / 255
    np.testing.assert_allclose(
        denormalize(images, InputStats((100.0,), (50.0,))), expected, atol=1e-6
    )
    np.testing.assert_allclose(denormalize(PIXELS, InputStats()), expected, atol=1e-6)


def test_grey_images_lose_their_channel_and_values_are_clipped():
    images = torch.tensor([-1.0, 0.0, 51.0, 300.0]).view(1, 1, 2, 2)
    np.testing.assert_allclose(denormalize(images, InputStats())[0], [[0, 0], [0.2, 1]])


@pytest.mark.parametrize(
    ('images', 'stats', 'order', 'message'),
    [
        (torch.zeros(1, 2, 4, 4), InputStats(), 'rgb', r'\(1, 2, 4, 4\)'),
        (torch.zeros(4, 4), InputStats(), 'rgb', r'\(4, 4\)'),
        (torch.zeros(1, 1, 4, 4), InputStats(MEAN, STD), 'rgb', 'stats.mean has 3 values'),
        (torch.zeros(1, 3, 4, 4), InputStats(MEAN, STD), 'hsv', "'hsv'"),
    ],
)
def test_errors_name_what_is_wrong(images, stats, order, message):
    with pytest.raises(ValueError, match=message):
        denormalize(images, stats, order)


def test_saliency_of_any_range_is_scaled_map_by_map():
    maps = torch.stack([torch.arange(6.0) * 40, torch.arange(6.0) * -1e-7, torch.full((6,), 9.0)])
    scaled = scale_saliency(maps.view(3, 2, 3))
    rising = np.arange(6).reshape(2, 3) / 5
    np.testing.assert_allclose(scaled, [rising, rising[::-1, ::-1], np.zeros((2, 3))], atol=1e-6)


@pytest.mark.parametrize(
    ('source', 'title'),
    [('FineGrainedSaliency', 'Fine-grained saliency'), ('InputGradient', 'Input gradient')],
)
def test_saliency_has_the_title_of_its_source(teacher_args, source, title):
    assert SaliencyMix(source).saliency_title == title
    teacher = FrozenTeacher(**teacher_args(), saliency='grad_cam')
    teacher.cam(torch.randn(2, 3, 24, 24))
    assert AttentiveMix(teacher).saliency_title == 'Grad-CAM'
    assert AttentiveMix(teacher_args()).saliency_title == 'CAM'
    assert SampleMixup().saliency_title == 'Saliency'


def test_saliency_of_any_size_covers_the_whole_picture():
    axes = Figure().subplots()
    show_picture(axes, np.zeros((6, 10)), saliency=np.eye(3))
    picture, heat = axes.images
    extents = [tuple(image.get_extent()) for image in (picture, heat)]
    assert extents == [(-0.5, 9.5, 5.5, -0.5)] * 2
    np.testing.assert_array_equal(heat.get_array(), np.eye(3))
