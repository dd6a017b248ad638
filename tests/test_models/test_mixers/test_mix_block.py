"""AutoMix's mix block against its formula, place by place."""

import math

import pytest
import torch
from mmpretrain.registry import MODELS

from mmtmix.functional import draw_index, draw_weights
from mmtmix.models import MixBlock


def make(in_channels=4, **settings):
    torch.manual_seed(0)
    block = MODELS.build(dict(type='MixBlock', in_channels=in_channels, **settings))
    for weight in block.parameters():
        torch.nn.init.normal_(weight)
    return block


def batch(num_samples=3, shape=(4, 3, 2)):
    torch.manual_seed(1)
    features = torch.randn(num_samples, *shape)
    return features, draw_weights(num_samples, 2, 1.0), draw_index(num_samples, 2)


def linear(conv, vector):
    return conv.weight.flatten(1) @ vector + conv.bias


def scores_by_hand(block, first, second, share):
    """What each place of the first map (C, h, w) sees of the second image."""
    _, height, width = first.shape
    places = [(y, x) for y in range(height) for x in range(width)]
    with_share = slice(None if block.lam_concat else -1)
    ours = [torch.cat([first[:, y, x], share[None]])[with_share] for y, x in places]
    theirs = [torch.cat([second[:, y, x], 1 - share[None]])[with_share] for y, x in places]
    result = torch.empty(height, width)
    for (y, x), mine in zip(places, ours, strict=True):
        query = linear(block.embed, mine)
        likeness = [query @ linear(block.embed, other) / math.sqrt(len(query)) for other in theirs]
        attention = torch.stack(likeness).softmax(dim=0)
        values = torch.cat([linear(block.value, other) for other in theirs])
        result[y, x] = attention @ values
    return result


@pytest.mark.parametrize('lam_concat', [True, False])
@pytest.mark.parametrize('reduction', [1, 2, 8])
def test_masks_are_the_sigmoid_of_attention_on_the_partner(reduction, lam_concat):
    block = make(reduction=reduction, lam_concat=lam_concat)
    assert block.embed.in_channels == block.value.in_channels == 4 + lam_concat
    features, weights, index = batch()
    masks = block(features, weights, index, (6, 6))
    assert masks.shape == (3, 2, 1, 6, 6)
    for n, (own, partner) in enumerate(index):
        scores = scores_by_hand(block, features[own], features[partner], weights[n, 0])
        expected = torch.sigmoid(scores.repeat_interleave(2, 0).repeat_interleave(3, 1))
        torch.testing.assert_close(masks[n, 1, 0], expected)
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(3, 1, 6, 6))


def test_bilinear_upsampling_is_of_the_scores():
    block = make(upsampling='bilinear')
    features, weights, index = batch()
    coarse, fine = (block(features, weights, index, size) for size in ((3, 2), (9, 8)))
    scores = torch.logit(coarse[:, 1])
    expected = torch.nn.functional.interpolate(scores, size=(9, 8), mode='bilinear')
    torch.testing.assert_close(fine[:, 1], expected.sigmoid(), atol=1e-5, rtol=1e-4)


def test_new_masks_are_halves_and_shares_matter():
    torch.manual_seed(0)
    features, weights, index = batch()
    fresh = MixBlock(4)(features, weights, index, (6, 6))
    torch.testing.assert_close(fresh, torch.full_like(fresh, 0.5), atol=0.05, rtol=0)
    block = make()
    assert not torch.equal(
        block(features, weights, index, (6, 6)), block(features, weights.flip(1), index, (6, 6))
    )


def test_without_a_channel_for_them_shares_do_not_matter():
    features, weights, index = batch()
    block = make(lam_concat=False)
    assert torch.equal(
        block(features, weights, index, (6, 6)), block(features, weights.flip(1), index, (6, 6))
    )


def test_it_computes_in_float32_under_autocast_and_of_halves():
    block = make()
    features, weights, index = batch()
    expected = block(features.bfloat16().float(), weights, index, (6, 6))
    with torch.autocast('cpu', torch.bfloat16):
        found = block(features.bfloat16(), weights, index, (6, 6))
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


def test_maps_are_normalised_on_request():
    plain, normal = make(), make(norm=True)
    normal.load_state_dict({**normal.state_dict(), **plain.state_dict()})
    torch.nn.init.ones_(normal.norm.weight)
    torch.nn.init.zeros_(normal.norm.bias)
    features, weights, index = batch()
    mean, var = features.mean(dim=(0, 2, 3)), features.var(dim=(0, 2, 3), unbiased=False)
    scaled = (features - mean[:, None, None]) / (var + 1e-5).sqrt()[:, None, None]
    found = normal(100 * features + 7, weights, index, (6, 6))
    torch.testing.assert_close(found, plain(scaled, weights, index, (6, 6)), atol=1e-4, rtol=1e-4)


def test_gradients_reach_every_weight():
    block = make()
    features, weights, index = batch()
    block(features, weights, index, (6, 6))[:, 0].sum().backward()
    assert all(weight.grad.any() for weight in block.parameters())


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(in_channels=0), 'in_channels must be an integer >= 1'),
        (dict(reduction=0.5), 'reduction must be an integer >= 1'),
        (dict(upsampling='bicubic'), 'upsampling must be one of'),
    ],
)
def test_arguments_out_of_range_are_refused(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        MixBlock(**dict(dict(in_channels=4), **settings))


@pytest.mark.parametrize('features', [torch.zeros(3, 5, 2, 2), torch.zeros(3, 4, 2), ('map', 7)])
def test_maps_that_do_not_fit_are_refused(features):
    _, weights, index = batch()
    with pytest.raises(ValueError, match=r'made for maps \(N, 4, h, w\) and got'):
        make()(features, weights, index, (6, 6))
