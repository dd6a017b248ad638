"""What the mixing module has beside the published one: bounds, orientations, noise, mask size."""

import pytest
import torch
import torch.nn.functional as F

from mmtmix.functional import blend, identity_theta, orient_back, resize_map, warp
from mmtmix.models import TransformMixer
from tests.test_models.test_mixers.mixing import mix, some_inputs, stirred


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize('random_orientation', [True, False])
def test_anchored_an_image_of_all_the_weight_is_seen_alone_and_unmoved(random_orientation):
    mixer = stirred(num_mix=3, cam_size=18, random_orientation=random_orientation)
    images, saliency, _, noise = some_inputs(mixer)
    mixed, details = mix(mixer, images, saliency, torch.eye(3), noise)
    assert torch.equal(details['theta'], identity_theta(3, 3))
    alone = torch.stack([images[n, n] for n in range(3)])
    torch.testing.assert_close(mixed, alone, atol=1e-3, rtol=1e-3)


def test_anchored_a_module_that_has_learned_nothing_is_mixup():
    mixer = TransformMixer(num_mix=3, cam_size=18, anchored=True)
    torch.nn.init.zeros_(mixer.mask_network.layers[-1].weight)
    torch.nn.init.zeros_(mixer.mask_network.layers[-1].bias)
    images, saliency, weights, noise = some_inputs(mixer)
    mixed, _ = mix(mixer, images, saliency, weights, noise)
    expected = blend(images, weights[..., None, None, None])
    torch.testing.assert_close(mixed, expected, atol=1e-5, rtol=1e-5)


def test_anchored_equal_weights_leave_all_that_is_learned():
    anchored = stirred(cam_size=18, anchored=True)
    free = TransformMixer(cam_size=18, anchored=False)
    free.load_state_dict(anchored.state_dict())
    images, saliency, _, noise = some_inputs(anchored)
    equal = torch.full((3, 2), 0.5)
    found, expected = (mix(mixer, images, saliency, equal, noise)[0] for mixer in (anchored, free))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_with_a_random_orientation_turned_images_are_mixed_as_they_were_and_turned(published):
    mixer = stirred(cam_size=18, **dict(published, random_orientation=True))
    images, saliency, weights, noise = some_inputs(mixer, shape=(3, 18, 18))
    noise[:, 1:] = -1  # as they are
    expected, _ = mix(mixer, images, saliency, weights, noise)
    # exchanged; flipped from left to right; both, and from top to bottom
    orientation = torch.tensor([[1, 0, 0], [0, 1, 0], [1, 1, 1]]) > 0
    noise[:, 1:, 0, 0] = torch.where(orientation, 1.0, -1.0)
    images, saliency = orient_back(images, orientation), orient_back(saliency, orientation)
    mixed, details = mix(mixer, images, saliency, weights, noise)
    torch.testing.assert_close(mixed, orient_back(expected, orientation), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        details['warped'], warp(images, details['theta']), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize('turned', [False, True])
def test_saliency_noise_is_added_to_the_cams(turned, published):
    settings = dict(published, noise_size=3, random_orientation=turned)
    plain = TransformMixer(cam_size=18, **settings)
    noisy = stirred(cam_size=18, **dict(settings, saliency_noise=0.5))
    plain.load_state_dict(noisy.state_dict())
    images, saliency, weights, noise = some_inputs(noisy)
    noise, added = noise[:, :-2], noise[:, -2:]
    shifted = saliency + 0.5 * resize_map(added, 18).unsqueeze(2)
    expected, _ = mix(plain, images, shifted, weights, noise)
    mixed, _ = mix(noisy, images, saliency, weights, torch.cat([noise, added], dim=1))
    torch.testing.assert_close(mixed, expected)


def test_all_orientations_are_drawn(published):
    mixer = TransformMixer(cam_size=18, **dict(published, random_orientation=True))
    drawn = mixer.draw_noise(400, torch.Generator().manual_seed(0))
    assert drawn.shape == (400, 4, 1, 1)
    numbers = ((drawn[:, 1:, 0, 0] > 0) * torch.tensor([4, 2, 1])).sum(dim=1)
    assert numbers.bincount(minlength=8).min() > 25


@pytest.mark.parametrize('transform', ['stn', 'none'])
@pytest.mark.parametrize('num_mix', [2, 3])
def test_masks_are_made_from_the_cams_at_mask_size(transform, num_mix, published):
    settings = dict(published, transform=transform, mask_size=10)
    mixer = stirred(num_mix=num_mix, cam_size=18, **settings)
    images, saliency, weights, noise = some_inputs(mixer)
    theta, masks = mixer(saliency, weights, noise)
    # the published steps, one mix at a time, on CAMs that are sampled at 10x10 points
    for n in range(3):
        grid = F.affine_grid(theta[n], [num_mix, 1, 10, 10], align_corners=False)
        maps = F.grid_sample(saliency[n], grid, align_corners=False).transpose(0, 1)
        planes = weights[n, None, :-1, None, None].expand(-1, -1, 10, 10)
        expected = mixer.mask_network(maps, planes).softmax(dim=1)
        torch.testing.assert_close(masks[n, None, :, 0], expected)
    _, details = mix(mixer, images, saliency, weights, noise)
    sums = details['masks'].sum(dim=1)
    assert details['masks'].shape == (3, num_mix, 1, 12, 20)
    torch.testing.assert_close(sums, torch.ones_like(sums))


def test_theta_does_not_depend_on_the_mask_size(published):
    coarse = stirred(cam_size=20, **dict(published, mask_size=9))
    full = TransformMixer(cam_size=20, **published)
    full.load_state_dict(coarse.state_dict())
    _, *inputs = some_inputs(coarse)
    (theta, coarse_masks), (expected, masks) = (mixer(*inputs) for mixer in (coarse, full))
    assert torch.equal(theta, expected)
    assert (coarse_masks.shape[-1], masks.shape[-1]) == (9, 20)


def test_masks_are_never_finer_than_the_cams():
    settings = dict(transform='none', cam_size=8)
    assert TransformMixer(**settings, mask_size=16).mask_size == 8
    assert TransformMixer(**settings, mask_size=None).mask_size == 8
    assert TransformMixer(**settings, mask_size=5).mask_size == 5
