"""Mixup and CutMix with weights of each sample's own."""

import pytest
import torch
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.models import BatchAugment
from mmtmix.models.draw import REPLAY

pytestmark = pytest.mark.host

BOTH = pytest.mark.parametrize('kind', ['SampleMixup', 'SampleCutMix'])
SIZES = pytest.mark.parametrize(('num_mix', 'shape'), [(2, (3, 16, 16)), (3, (1, 12, 20))])


def mix(kind, batch, seed=0, **settings):
    torch.manual_seed(seed)
    return BATCH_AUGMENTS.build(dict(type=kind, **settings))(*batch, return_details=True)


@BOTH
@SIZES
def test_a_mix_and_its_target_add_up_pixel_by_pixel(make_batch, kind, num_mix, shape):
    inputs, scores = make_batch(6, shape)
    mixed, targets, details = mix(kind, (inputs, scores), num_mix=num_mix)
    shapes = {name: tuple(value.shape) for name, value in details.items() if name not in REPLAY}
    assert shapes == dict(
        weights=(6, num_mix),
        index=(6, num_mix),
        warped=(6, num_mix, *shape),
        masks=(6, num_mix, 1, *shape[1:]),
    )
    for n in range(6):
        image, label = torch.zeros(shape), torch.zeros(10)
        for i, partner in enumerate(details['index'][n]):
            assert torch.equal(details['warped'][n, i], inputs[partner])
            image += details['masks'][n, i] * inputs[partner]
            label += details['weights'][n, i] * scores[partner]
        torch.testing.assert_close(mixed[n], image)
        torch.testing.assert_close(targets[n], label)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(6))


@BOTH
@SIZES
def test_weights_are_the_areas_of_the_masks_and_differ_by_sample(make_batch, kind, num_mix, shape):
    _, _, details = mix(kind, make_batch(6, shape), num_mix=num_mix)
    weights, masks = details['weights'], details['masks']
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(6, 1, *shape[1:]))
    torch.testing.assert_close(masks.mean(dim=(2, 3, 4)), weights)
    assert len(set(weights[:, 0].tolist())) > 3


def test_mixup_blends_whole_images_and_cutmix_pastes_boxes(make_batch):
    batch = make_batch()
    _, _, mixup = mix('SampleMixup', batch)
    spread = mixup['masks'].flatten(2)
    assert torch.equal(spread, mixup['weights'][..., None].expand_as(spread))
    mixed, _, cutmix = mix('SampleCutMix', batch)
    assert set(cutmix['masks'].unique().tolist()) == {0.0, 1.0}
    for n, (image, box) in enumerate(zip(mixed, cutmix['masks'][:, 1, 0], strict=True)):
        rows, columns = box.nonzero(as_tuple=True)
        height, width = rows.max() - rows.min() + 1, columns.max() - columns.min() + 1
        assert height * width == box.sum()
        expected = batch[0][n].clone()
        expected[:, box.bool()] = batch[0][cutmix['index'][n, 1]][:, box.bool()]
        assert torch.equal(image, expected)


@BOTH
def test_a_large_alpha_gives_every_image_the_same_share(make_batch, kind):
    _, _, details = mix(kind, make_batch(6, (3, 32, 32)), alpha=1e4)
    torch.testing.assert_close(details['weights'], torch.full((6, 2), 0.5), atol=0.04, rtol=0)


@BOTH
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_images_stay_so_and_weights_do_not(make_batch, kind, dtype):
    inputs, scores = make_batch()
    expected, same_targets, _ = mix(kind, (inputs, scores), num_mix=3)
    mixed, targets, details = mix(kind, (inputs.to(dtype), scores), num_mix=3)
    assert mixed.dtype == dtype
    assert details['weights'].dtype == details['masks'].dtype == torch.float32
    assert torch.equal(targets, same_targets)
    torch.testing.assert_close(mixed.float(), expected, atol=0.03, rtol=0.02)


@BOTH
@pytest.mark.parametrize('num_samples', [1, 6])
def test_the_arguments_are_not_written_to(make_batch, kind, num_samples):
    batch = make_batch(num_samples)
    before = [tensor.clone() for tensor in batch]
    mixed, targets, _ = mix(kind, batch)
    mixed.zero_()
    targets.zero_()
    assert all(torch.equal(a, b) for a, b in zip(batch, before, strict=True))


@BOTH
def test_a_seed_repeats_the_mix(make_batch, kind):
    first, second, other = (mix(kind, make_batch(), seed)[:2] for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))


@BOTH
def test_bad_settings_are_refused(kind):
    assert isinstance(BATCH_AUGMENTS.build(dict(type=kind)), BatchAugment)
    with pytest.raises(ValueError, match='alpha must be a finite number > 0'):
        BATCH_AUGMENTS.build(dict(type=kind, alpha=0))
    with pytest.raises(ValueError, match='num_mix must be an integer >= 2'):
        BATCH_AUGMENTS.build(dict(type=kind, num_mix=1))


def test_published_cutmix_draws_as_the_default_and_clips_its_boxes(make_batch):
    batch = make_batch(8, (3, 24, 32))
    _, _, inside = mix('SampleCutMix', batch)
    mixed, targets, clipped = mix('SampleCutMix', batch, places='clipped')
    for name in ('drawn_weights', 'index', 'generator_state'):
        assert torch.equal(inside[name], clipped[name])
    assert (clipped['weights'][:, 1] <= clipped['drawn_weights'][:, 1] + 1e-6).all()
    assert clipped['weights'][:, 1].mean() < inside['weights'][:, 1].mean()
    for n, mask in enumerate(clipped['masks'][:, 1, 0]):
        expected = torch.where(mask.bool(), batch[0][clipped['index'][n, 1]], batch[0][n])
        assert torch.equal(mixed[n], expected)
        share = float(mask.sum()) / mask.numel()
        label = (1 - share) * batch[1][n] + share * batch[1][clipped['index'][n, 1]]
        torch.testing.assert_close(targets[n], label)
