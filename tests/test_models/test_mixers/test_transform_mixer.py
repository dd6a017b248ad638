"""The mixing module: what it starts as, what its settings mean, and its mix by a loop."""

import pytest
import torch
import torch.nn.functional as F
from torch._subclasses.fake_tensor import FakeTensorMode

from mmtmix.models import TransformMixer
from tests.test_models.test_mixers.mixing import mix, some_inputs, stirred

ABLATIONS = [
    dict(transform=transform, mask=mask)
    for transform in ('stn', 'none')
    for mask in ('network', 'softmax_cam')
]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.mark.parametrize('num_mix', [2, 3, 4])
def test_any_number_of_images_is_mixed(num_mix):
    mixer = stirred(num_mix=num_mix, cam_size=18)
    mixed, details = mix(mixer, *some_inputs(mixer))
    assert mixed.shape == (3, 3, 12, 20)
    shapes = {name: tuple(value.shape) for name, value in details.items()}
    assert shapes == dict(
        theta=(3, num_mix, 2, 3),
        warped=(3, num_mix, 3, 12, 20),
        masks=(3, num_mix, 1, 12, 20),
    )


def test_it_starts_at_the_identity():
    mixer = TransformMixer(num_mix=3, cam_size=20)
    images, saliency, weights, noise = some_inputs(mixer)
    _, details = mix(mixer, images, saliency, weights, 50 * noise)
    assert details['theta'].tolist() == [[[[1, 0, 0], [0, 1, 0]]] * 3] * 3
    torch.testing.assert_close(details['warped'], images, atol=1e-5, rtol=0)


@pytest.mark.parametrize('settings', ABLATIONS)
@pytest.mark.parametrize('num_mix', [2, 4])
def test_masks_are_shares_that_sum_to_one(settings, num_mix):
    mixer = stirred(num_mix=num_mix, cam_size=18, temperature=0.05, **settings)
    _, details = mix(mixer, *some_inputs(mixer))
    masks = details['masks']
    assert (masks >= 0).all()
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(3, 1, 12, 20))


@pytest.mark.parametrize('settings', ABLATIONS)
@pytest.mark.parametrize('padding_mode', ['zeros', 'border'])
def test_a_mix_is_the_sum_of_masks_times_warped_images(settings, padding_mode):
    mixer = stirred(num_mix=3, cam_size=18, padding_mode=padding_mode, **settings)
    images, *inputs = some_inputs(mixer)
    mixed, details = mix(mixer, images, *inputs)
    for n in range(3):
        expected = torch.zeros(3, 12, 20)
        for i in range(3):
            grid = F.affine_grid(details['theta'][n, i][None], [1, 3, 12, 20], align_corners=False)
            warped = F.grid_sample(
                images[n, i][None], grid, padding_mode=padding_mode, align_corners=False
            )[0]
            torch.testing.assert_close(details['warped'][n, i], warped, atol=1e-5, rtol=1e-5)
            expected += details['masks'][n, i] * warped
        torch.testing.assert_close(mixed[n], expected, atol=1e-5, rtol=1e-5)


def test_the_default_for_two_images_has_the_papers_size():
    transformer = (
        (8 * 4 * 7**2 + 8) + (10 * 8 * 5**2 + 10) + (10 * 4**2 * 32 + 32) + (32 * 12 + 12)
    )
    masks = (32 * 3 * 3**2 + 32) + 2 * (32 * 32 * 3**2 + 32) + (2 * 32 + 2)
    temperature = 1
    parameters = sum(parameter.numel() for parameter in TransformMixer().parameters())
    assert parameters == transformer + masks + temperature


def test_the_mask_network_follows_its_settings():
    mixer = TransformMixer(num_mix=3, cam_size=20, num_layers=2, channels=8, kernel_size=7)
    shapes = [tuple(p.shape) for p in mixer.mask_network.parameters() if p.dim() == 4]
    assert shapes == [(8, 5, 7, 7), (8, 8, 7, 7), (3, 8, 1, 1)]


def test_an_ablation_has_only_the_parts_it_names():
    for settings in ABLATIONS:
        parts = {name.split('.')[0] for name, _ in TransformMixer(**settings).named_parameters()}
        expected = {'log_temperature'}
        expected |= {'stn'} if settings['transform'] == 'stn' else set()
        expected |= {'mask_network'} if settings['mask'] == 'network' else set()
        assert parts == expected


def test_without_a_transformer_images_stay_where_they_are():
    mixer = TransformMixer(transform='none', cam_size=7)
    images, *inputs = some_inputs(mixer)
    _, details = mix(mixer, images, *inputs)
    assert torch.equal(details['warped'], images)
    assert details['theta'].tolist() == [[[[1, 0, 0], [0, 1, 0]]] * 2] * 3


@pytest.mark.parametrize('temperature', [0.1, 1.0, 10.0])
def test_softmax_cam_is_the_softmax_of_the_cams(temperature, published):
    settings = dict(published, transform='none', mask='softmax_cam', temperature=temperature)
    mixer = TransformMixer(num_mix=3, cam_size=6, **settings)
    _, saliency, weights, noise = some_inputs(mixer)
    _, masks = mixer(saliency, weights, noise)
    exponentials = (saliency.double() / temperature).exp()
    expected = exponentials / exponentials.sum(dim=1, keepdim=True)
    torch.testing.assert_close(masks.double(), expected, atol=1e-6, rtol=1e-5)


def test_with_a_transformer_softmax_cam_takes_the_warped_cams(published):
    mixer = stirred(cam_size=18, mask='softmax_cam', **published)
    _, saliency, weights, noise = some_inputs(mixer)
    theta, masks = mixer(saliency, weights, noise)
    grid = F.affine_grid(theta.flatten(0, 1), [6, 1, 18, 18], align_corners=False)
    warped = F.grid_sample(saliency.flatten(0, 1), grid, align_corners=False).view_as(saliency)
    torch.testing.assert_close(masks, warped.softmax(dim=1))


def test_the_padding_shows_outside_of_a_warped_image():
    for padding_mode, outside in (('zeros', 0.0), ('border', 5.0)):
        mixer = TransformMixer(cam_size=18, padding_mode=padding_mode)
        torch.nn.init.constant_(mixer.stn.fc.bias[2::3], 9.0)  # far to the side
        _, *inputs = some_inputs(mixer)
        _, details = mix(mixer, torch.full((3, 2, 1, 8, 8), 5.0), *inputs)
        assert (details['warped'] == outside).all()


def test_the_weights_steer_the_masks_and_the_transformer():
    mixer = stirred(cam_size=18)
    _, saliency, weights, noise = some_inputs(mixer)
    theta, masks = mixer(saliency, weights, noise)
    other_theta, other_masks = mixer(saliency, weights.flip(1), noise)
    assert not torch.equal(theta, other_theta)
    assert not torch.equal(masks, other_masks)


@pytest.mark.parametrize('noise_size', [1, 4])
def test_noise_varies_the_transformation_and_nothing_else_does(noise_size):
    mixer = stirred(cam_size=18, noise_size=noise_size)
    _, saliency, weights, noise = some_inputs(mixer)
    theta, masks = mixer(saliency, weights, noise)
    again, same_masks = mixer(saliency, weights, noise)
    assert torch.equal(theta, again)
    assert torch.equal(masks, same_masks)
    other, _ = mixer(saliency, weights, noise + 1)
    assert not torch.equal(theta, other)


def test_noise_is_standard_normal_and_reproducible():
    mixer = TransformMixer(noise_size=8)
    noise = mixer.draw_noise(200, torch.Generator().manual_seed(1))
    assert noise.shape == (200, 1 + 3 + 2, 8, 8)
    assert noise.mean().item() == pytest.approx(0, abs=0.03)
    assert noise.std().item() == pytest.approx(1, abs=0.03)
    assert torch.equal(noise, mixer.draw_noise(200, torch.Generator().manual_seed(1)))


def test_gradients_reach_every_parameter():
    mixer = stirred(cam_size=18)
    mixed, _ = mix(mixer, *some_inputs(mixer))
    mixed.square().sum().backward()
    for name, parameter in mixer.named_parameters():
        assert parameter.grad.any(), name


def test_from_the_identity_the_transformer_can_leave():
    mixer = TransformMixer(cam_size=18)
    mixed, _ = mix(mixer, *some_inputs(mixer))
    mixed.square().sum().backward()
    assert mixer.stn.fc.weight.grad.any()
    assert mixer.stn.fc.bias.grad.any()


def test_the_temperature_stays_positive_whatever_is_learned():
    mixer = TransformMixer(temperature=0.3)
    assert mixer.temperature.item() == pytest.approx(0.3)
    for learned in (-20.0, 20.0):
        torch.nn.init.constant_(mixer.log_temperature, learned)
        assert mixer.temperature > 0


@pytest.mark.parametrize('owner', [0, 1, 2])
def test_one_hot_masks_give_back_the_image(owner):
    mixer = TransformMixer(num_mix=3, cam_size=18)
    torch.nn.init.zeros_(mixer.mask_network.layers[-1].weight)
    with torch.no_grad():
        mixer.mask_network.layers[-1].bias.copy_(1000 * torch.eye(3)[owner])
    images, saliency, _, noise = some_inputs(mixer)
    mixed, details = mix(mixer, images, saliency, torch.eye(3)[[owner] * 3], noise)
    torch.testing.assert_close(details['masks'][:, owner], torch.ones(3, 1, 12, 20))
    torch.testing.assert_close(mixed, images[:, owner], atol=1e-5, rtol=0)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_images_are_mixed_as_full_ones_are(dtype):
    mixer = stirred(cam_size=18)
    images, *inputs = some_inputs(mixer)
    mixed, _ = mix(mixer, images.to(dtype), *inputs)
    assert mixed.dtype == dtype
    expected, _ = mix(mixer, images, *inputs)
    torch.testing.assert_close(mixed.float(), expected, atol=0.05, rtol=0.02)


@pytest.mark.parametrize(
    ('settings', 'said'),
    [
        (
            dict(cam_size=17),
            'cam_size must be an integer >= 18, got 17; the spatial transformer takes no smaller',
        ),
        (dict(transform='affine'), "transform must be one of .*'affine'"),
        (dict(mask='none'), "mask must be one of .*'none'"),
        (dict(padding_mode='wrap'), "padding_mode must be one of .*'wrap'"),
        (dict(num_mix=1), 'num_mix must be an integer >= 2, got 1'),
        (dict(noise_size=0), 'noise_size must be an integer >= 1, got 0'),
        (dict(temperature=0), 'temperature must be a finite number > 0, got 0'),
        (dict(temperature=-1.0), 'temperature must be a finite number > 0, got -1.0'),
        (dict(saliency_noise=-0.1), 'saliency_noise must be a finite number >= 0, got -0.1'),
        (dict(kernel_size=4), 'kernel_size must be odd .*got 4'),
        (dict(num_layers=0), 'num_layers must be an integer >= 1, got 0'),
        (dict(mask_size=0), 'mask_size must be an integer >= 1, got 0; None takes'),
    ],
)
def test_a_setting_out_of_its_range_is_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        TransformMixer(**settings)


@pytest.mark.parametrize('settings', [*ABLATIONS, dict(anchored=False)])
def test_nothing_is_made_on_another_device(settings):
    with FakeTensorMode():  # a GPU that has shapes and no values
        with torch.device('cuda'):
            mixer = TransformMixer(num_mix=3, cam_size=18, **settings)
        images, saliency, weights, noise = (x.to('cuda') for x in some_inputs(mixer))
        mixed, details = mix(mixer, images, saliency, weights, noise)
        assert {x.device.type for x in (mixed, *details.values())} == {'cuda'}
