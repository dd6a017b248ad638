"""ResNet-200: MMPretrain's ResNet, deeper."""

import pytest
import torch
from mmpretrain.models.backbones import ResNet

from mmtmix.models import DeepResNet

pytestmark = pytest.mark.host


def bottlenecks(blocks, width, in_channels):
    """Parameters of a stage, counted by hand."""
    out = 4 * width
    first = in_channels * width + 9 * width**2 + width * out + 4 * width + 2 * out
    projection = in_channels * out + 2 * out
    other = out * width + 9 * width**2 + width * out + 4 * width + 2 * out
    return first + projection + (blocks - 1) * other


def test_it_has_3_24_36_and_3_bottlenecks():
    model = DeepResNet(200)
    stages = zip((3, 24, 36, 3), (64, 128, 256, 512), (64, 256, 512, 1024), strict=True)
    expected = 3 * 64 * 49 + 2 * 64 + sum(bottlenecks(*stage) for stage in stages)
    assert sum(parameter.numel() for parameter in model.parameters()) == expected


def test_other_depths_are_mmpretrains():
    torch.manual_seed(0)
    ours, theirs = DeepResNet(18), ResNet(18)
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(ours(images), theirs(images))


def test_an_unknown_depth_is_refused():
    with pytest.raises(ValueError, match=r'depth must be one of 18, .*, 200, got 110'):
        DeepResNet(110)
