"""CAMs and their scaling against loops in numpy; fine-grained saliency against OpenCV.

``data/fine_grained_saliency.npz`` has crops of NASA's portrait of an astronaut (scikit-image,
public domain) and of noise, and what ``cv2.saliency.StaticSaliencyFineGrained`` of
opencv-contrib-python-headless 5.0.0 makes of them in BGR, times 255.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mmtmix.functional import (
    class_activation_map,
    fine_grained_saliency,
    grad_cam,
    gray_levels,
    identity_theta,
    join_maps,
    kept_saliency,
    min_max,
    resize_map,
    visible_shares,
)
from mmtmix.functional.saliency import _to_255


def test_a_cam_is_the_classifier_row_times_the_feature_maps():
    features, weight = torch.randn(3, 5, 4, 6), torch.randn(7, 5)
    classes = torch.tensor([6, 0, 2])
    cam = class_activation_map(features, weight, classes)
    assert cam.shape == (3, 1, 4, 6)
    for n, row, column in np.ndindex(3, 4, 6):
        expected = sum(weight[classes[n], d] * features[n, d, row, column] for d in range(5))
        assert cam[n, 0, row, column].item() == pytest.approx(expected.item(), abs=1e-5)


def test_the_mean_of_a_cam_is_the_logit_without_its_bias():
    features, linear = torch.randn(4, 8, 5, 3), nn.Linear(8, 6)
    logits = linear(nn.AdaptiveAvgPool2d(1)(features).flatten(1))
    for chosen in range(6):
        cam = class_activation_map(features, linear.weight, torch.full((4,), chosen))
        expected = logits[:, chosen] - linear.bias[chosen]
        torch.testing.assert_close(cam.mean(dim=(1, 2, 3)), expected)


def test_maps_of_half_precision_features_are_float32():
    features, weight = torch.randn(2, 4, 3, 3), torch.randn(5, 4)
    classes = torch.tensor([1, 3])
    cam = class_activation_map(features.bfloat16(), weight.bfloat16(), classes)
    expected = class_activation_map(features, weight, classes)
    assert cam.dtype == grad_cam(features.half(), features.half()).dtype == torch.float32
    torch.testing.assert_close(cam, expected, atol=0.1, rtol=0.05)


def test_grad_cam_weighs_maps_by_their_mean_gradient_and_drops_what_is_negative():
    features, gradients = np.random.default_rng(0).standard_normal((2, 3, 4, 5, 6))
    cam = grad_cam(torch.from_numpy(features), torch.from_numpy(gradients))
    for n in range(3):
        expected = sum(gradients[n, d].mean() * features[n, d] for d in range(4))
        np.testing.assert_allclose(cam[n, 0], np.maximum(expected, 0), atol=1e-6)


def test_min_max_scales_each_map_by_itself():
    cam = torch.randn(5, 1, 4, 7) * torch.tensor([1e-3, 1, 10, 1e3, 1e6])[:, None, None, None]
    saliency = min_max(cam)
    for raw, scaled in zip(cam.double().numpy(), saliency.numpy(), strict=True):
        expected = (raw - raw.min()) / (raw.max() - raw.min())
        np.testing.assert_allclose(scaled, expected, atol=1e-6)
    assert saliency.amin(dim=(1, 2, 3)).tolist() == [0] * 5
    assert saliency.amax(dim=(1, 2, 3)).tolist() == [1] * 5


@pytest.mark.parametrize('value', [0.0, -3.0, 1e9])
def test_a_constant_map_becomes_zero(value):
    assert (min_max(torch.full((2, 1, 3, 3), value)) == 0).all()


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
def test_a_map_that_is_not_finite_stays_visible_and_spoils_no_other(dtype, value):
    cam = torch.rand(4, 1, 3, 5).to(dtype)
    expected = min_max(cam)
    cam[1, 0, 2, 1] = value
    cam[2] = value
    found = min_max(cam)
    assert found.dtype == dtype
    assert found[1:3].isnan().any(dim=-1).any(dim=-1).all()
    assert torch.equal(found[[0, 3]], expected[[0, 3]])


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_has_room_for_any_map(dtype):
    widest = torch.finfo(dtype).max if dtype == torch.float16 else 1e38
    cam = torch.tensor([-widest, 0.0, widest, 0.0]).to(dtype).view(1, 1, 2, 2)
    assert min_max(cam).flatten().tolist() == [0, 0.5, 1, 0.5]
    assert not min_max(torch.full((1, 1, 2, 2), 3.0, dtype=dtype)).any()


def interpolate(line, size):
    """A line of numbers at another resolution; pixel centres lie at (i + 0.5) / length."""
    centres = (np.arange(len(line)) + 0.5) / len(line)
    return np.interp((np.arange(size) + 0.5) / size, centres, line)


@pytest.mark.parametrize(('size', 'shape'), [(8, (8, 8)), ((5, 12), (5, 12)), ((4, 7), (4, 7))])
def test_maps_are_resized_bilinearly(size, shape):
    maps = torch.rand(2, 3, 4, 6)
    resized = resize_map(maps, size)
    assert resized.shape == (2, 3, *shape)
    for n, c in np.ndindex(2, 3):
        rows = [interpolate(row, shape[1]) for row in maps[n, c].numpy()]
        expected = [interpolate(column, shape[0]) for column in np.array(rows).T]
        np.testing.assert_allclose(resized[n, c], np.array(expected).T, atol=1e-5)


def test_maps_of_the_wanted_size_stay_as_they_are():
    maps = torch.rand(2, 1, 6, 6)
    assert torch.equal(resize_map(maps, 6), maps)


@pytest.mark.parametrize('size', [3, 8, 31, (50, 20)])
def test_masks_still_sum_to_one_after_resizing(size):
    masks = torch.randn(2, 4, 8, 8).softmax(dim=1)
    resized = resize_map(masks, size)
    assert (resized >= 0).all()
    torch.testing.assert_close(resized.sum(dim=1), torch.ones_like(resized[:, 0]))


def test_arguments_are_not_written_to():
    features, gradients = torch.randn(2, 2, 4, 3, 3)
    weight = torch.randn(2, 4)
    before = [tensor.clone() for tensor in (features, gradients, weight)]
    class_activation_map(features, weight, torch.tensor([0, 1]))
    grad_cam(features, gradients)
    min_max(features)
    resize_map(features, 7)
    after = (features, gradients, weight)
    assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))


def test_visible_shares_are_what_masks_leave_of_each_images_saliency():
    saliency, masks = torch.rand(4, 3, 1, 5, 6), torch.rand(4, 3, 1, 5, 6).softmax(dim=1)
    shares = visible_shares(saliency, masks)
    assert shares.shape == (4, 3)
    for n in range(4):
        seen = [float((saliency[n, i] * masks[n, i]).sum()) for i in range(3)]
        torch.testing.assert_close(shares[n], torch.tensor(seen) / sum(seen))


def test_visible_shares_of_the_least_gradients_sum_to_1():
    saliency, masks = torch.rand(2, 3, 1, 4, 4), torch.rand(2, 3, 1, 4, 4).softmax(dim=1)
    expected = visible_shares(saliency, masks)
    for scale in (2.0**-60, 2.0**60):  # a power of two rounds nothing
        assert torch.equal(visible_shares(scale * saliency, masks), expected)


def test_where_no_saliency_is_seen_shares_are_equal():
    saliency = torch.zeros(1, 4, 1, 3, 3)
    assert visible_shares(saliency, torch.ones_like(saliency)).tolist() == [[0.25] * 4]


def test_kept_saliency_of_still_images_is_what_masks_leave_of_each():
    saliency, masks = torch.rand(4, 3, 1, 5, 6), torch.rand(4, 3, 1, 5, 6).softmax(dim=1)
    kept = kept_saliency(saliency, masks, identity_theta(4, 3))
    for n in range(4):
        for i in range(3):
            seen = float((saliency[n, i] * masks[n, i]).sum() / saliency[n, i].sum())
            assert float(kept[n, i]) == pytest.approx(seen, rel=1e-5)
    mixup = torch.full_like(masks, 1 / 3)
    torch.testing.assert_close(
        kept_saliency(saliency, mixup, identity_theta(4, 3)), torch.full((4, 3), 1 / 3)
    )


def test_saliency_that_a_warp_enlarges_counts_once_and_what_leaves_the_picture_does_not():
    saliency = torch.zeros(1, 1, 1, 32, 32)
    saliency[..., 12:20, 12:20] = 1
    masks = torch.ones_like(saliency)
    enlarged, shrunk, halved, gone = (identity_theta(1, 1) for _ in range(4))
    enlarged[..., :2] *= 0.5
    shrunk[..., :2] *= 2
    halved[..., 0, 2] = 1.0  # by half a picture, which has the spot's middle at its edge
    gone[..., 0, 2] = 2.0
    for theta, share in ((enlarged, 1.0), (shrunk, 1.0), (halved, 0.5), (gone, 0.0)):
        assert float(kept_saliency(saliency, masks, theta)) == pytest.approx(share, abs=0.02)


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


def test_joined_maps_are_those_of_a_concatenation_in_the_layout_of_convolutions():
    maps = [torch.rand(2, 3, 4, 5), torch.rand(2, 1, 1, 1).expand(-1, -1, 4, 5)]
    joined = join_maps(maps)
    assert torch.equal(joined, torch.cat(maps, dim=1))
    assert joined.is_contiguous(memory_format=torch.channels_last)
