"""Fine-grained saliency against OpenCV's own.

``data/fine_grained_saliency.npz`` has crops of NASA's portrait of an astronaut (scikit-image,
public domain) and of noise, and what ``cv2.saliency.StaticSaliencyFineGrained`` of
opencv-contrib-python-headless 5.0.0 makes of them in BGR, times 255.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from mmtmix.functional import fine_grained_saliency, gray_levels
from mmtmix.functional.fine_grained import _to_255

FILE = Path(__file__).parents[1] / 'data' / 'fine_grained_saliency.npz'
NAMES = pytest.mark.parametrize('name', ['face', 'wide', 'noise'])


@pytest.fixture(scope='module')
def opencv():
    with np.load(FILE) as arrays:
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


def as_batch(image):
    return image[None, None] if image.dim() == 2 else image.permute(2, 0, 1)[None]


@NAMES
def test_gray_levels_are_opencvs(opencv, name):
    pixels, expected = as_batch(opencv[f'{name}_image']), opencv[f'{name}_gray'].float()
    assert torch.equal(gray_levels(pixels, is_rgb=True)[0, 0], expected)
    assert torch.equal(gray_levels(pixels.flip(1), is_rgb=False)[0, 0], expected)


@NAMES
def test_saliency_is_opencvs(opencv, name):
    gray = opencv[f'{name}_gray'].float()[None, None]
    expected = opencv[f'{name}_saliency'].float()
    saliency = fine_grained_saliency(gray)
    assert saliency.dtype == torch.float32
    assert torch.equal(saliency[0, 0], expected)
    assert saliency.argmax() == expected.argmax()


def test_each_image_of_a_batch_is_looked_at_alone(opencv):
    gray = opencv['wide_gray'].float()
    batch = torch.stack([gray[:48, :40], gray[20:68, 50:90], torch.full((48, 40), 7.0)])[:, None]
    before = batch.clone()
    saliency = fine_grained_saliency(batch)
    for image, alone in zip(batch, saliency, strict=True):
        assert torch.equal(fine_grained_saliency(image[None])[0], alone)
    assert torch.equal(batch, before)
    assert not saliency[2].any()  # nothing stands out


@pytest.mark.parametrize('shape', [(1, 1), (1, 5), (6, 1), (2, 2)])
def test_tiny_images_have_finite_saliency(shape):
    gray = (torch.rand(3, 1, *shape) * 255).round()
    saliency = fine_grained_saliency(gray)
    assert saliency.shape == gray.shape
    assert saliency.isfinite().all()


def test_integral_stays_exact_in_large_images():
    gray = torch.full((1, 1, 600, 700), 255.0)
    assert not fine_grained_saliency(gray).any()


def test_levels_are_rounded_and_stay_in_8_bits():
    pixels = torch.tensor([-3.0, 0.4, 0.6, 254.7, 300.0]).view(1, 1, 1, 5)
    assert gray_levels(pixels, True).flatten().tolist() == [0, 0, 1, 255, 255]


@pytest.mark.parametrize('largest', [*range(1, 40), 255, 509, 1020, 2047, 3315])
def test_sums_are_scaled_to_255_as_whole_numbers_would_be(largest):
    sums = torch.arange(largest + 1.0).view(1, 1, 1, -1)
    expected = [255 * value // largest for value in range(largest + 1)]
    assert _to_255(sums).flatten().tolist() == expected


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match=r'1 or 3 channels, got shape \(2, 4, 5, 5\)'):
        gray_levels(torch.zeros(2, 4, 5, 5), True)
