"""MobileNetV2 for small images against a second, functional forward."""

import pytest
import torch
import torch.nn.functional as F

from mmtmix.models import CifarMobileNetV2

pytestmark = pytest.mark.host

# width of each block and its stride, at half width
HALF = [[(8, 1)], [(12, 1), (12, 1)], [(16, 2), (16, 1), (16, 1)]]
HALF += [[(32, 2), *[(32, 1)] * 3], [(48, 1)] * 3, [(80, 2), (80, 1), (80, 1)], [(160, 1)]]


def reference(layers, x):
    x = F.relu(layers.norm(layers.conv(x, 'conv1.0', 2), 'conv1.1'))
    assert x.size(1) == 16
    for stage, blocks in enumerate(HALF):
        for block, (width, stride) in enumerate(blocks):
            name = f'layers.{stage}.{block}.conv'
            out = F.relu(layers.norm(layers.conv(x, f'{name}.0'), f'{name}.1'))
            hidden = out.size(1)
            assert hidden == x.size(1) * (1 if stage == 0 else 6)
            out = layers.conv(out, f'{name}.3', stride, groups=hidden)
            out = F.relu(layers.norm(out, f'{name}.4'))
            out = layers.norm(layers.conv(out, f'{name}.6'), f'{name}.7')
            assert out.size(1) == width
            x = out + x if block > 0 else out  # no first block keeps its width
    return F.relu(layers.norm(layers.conv(x, 'conv2.0'), 'conv2.1'))


def test_its_forward_is_the_papers(layers_of, images):
    model = CifarMobileNetV2()
    layers = layers_of(model)
    images = 8 * images
    assert model.conv1(images).max() > 6  # which a ReLU6 would cut
    (features,) = model(images)
    assert features.shape == (2, 1280, 2, 3)
    torch.testing.assert_close(features, reference(layers, images))


def test_the_last_width_is_1280_at_least():
    images = torch.randn(1, 3, 32, 32)
    for factor, width in ((0.25, 1280), (1.0, 1280), (1.5, 1920)):
        model = CifarMobileNetV2(factor)
        model.eval()
        assert model(images)[0].size(1) == width


def test_widths_of_nothing_are_refused():
    with pytest.raises(
        ValueError, match='widen_factor must be a finite number >= 0.0625, got 0.01'
    ):
        CifarMobileNetV2(0.01)
