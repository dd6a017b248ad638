"""VGG for small images against a second, functional forward."""

import pytest
import torch
import torch.nn.functional as F

from mmtmix.models import CifarVGG

pytestmark = pytest.mark.host

# 'M' pools; the distillation papers' lists, which the original's extra poolings are missing from
PLANS = {
    8: '64 M 128 M 256 M 512 | 512',
    11: '64 M 128 M 256 256 M 512 512 | 512 512',
    13: '64 64 M 128 128 M 256 256 M 512 512 | 512 512',
    16: '64 64 M 128 128 M 256 256 256 M 512 512 512 | 512 512 512',
    19: '64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 | 512 512 512 512',
}


def reference(layers, x, plan):
    block, place = 0, 0
    for item in plan.split():
        if item in 'M|':
            x = F.max_pool2d(x, 2) if item == 'M' else x
            block, place = block + 1, 0
            continue
        x = layers.conv(x, f'layers.{block}.{place}')
        assert x.size(1) == int(item)
        x = F.relu(layers.norm(x, f'layers.{block}.{place + 1}'))
        place += 3
    return x


@pytest.mark.parametrize('depth', PLANS)
def test_its_forward_is_the_papers(depth, layers_of, images):
    model = CifarVGG(depth)
    layers = layers_of(model)
    (features,) = model(images)
    assert features.shape == (2, 512, 4, 6)
    torch.testing.assert_close(features, reference(layers, images, PLANS[depth]))
    convolutions = [value for value in layers.state.values() if value.dim() == 4]
    assert len(convolutions) == sum(item.isdigit() for item in PLANS[depth].split()) == depth - 3


def test_it_is_initialised_by_the_fan_out_with_zero_biases():
    torch.manual_seed(0)
    model = CifarVGG(8)
    model.init_weights()
    for block in model.layers:
        std = block[0].weight.std().item()
        assert std == pytest.approx((2 / (9 * block[0].out_channels)) ** 0.5, rel=0.05)
        assert not block[0].bias.any()


def test_an_unknown_depth_is_refused():
    with pytest.raises(ValueError, match=r'depth must be one of 8, .*, got 9'):
        CifarVGG(9)
