"""CIFAR ResNets against a second, functional forward."""

import pytest
import torch
import torch.nn.functional as F

from mmtmix.models import CifarResNet

pytestmark = pytest.mark.host


def reference(layers, x, blocks):
    x = F.relu(layers.norm(layers.conv(x, 'conv1'), 'bn1'))
    for stage in (1, 2, 3):
        for block in range(blocks):
            name = f'layer{stage}.{block}'
            stride = 2 if stage > 1 and block == 0 else 1
            out = F.relu(layers.norm(layers.conv(x, f'{name}.conv1', stride), f'{name}.bn1'))
            out = layers.norm(layers.conv(out, f'{name}.conv2'), f'{name}.bn2')
            if out.shape != x.shape:
                x = layers.conv(x, f'{name}.downsample.0', stride)
                x = layers.norm(x, f'{name}.downsample.1')
            x = F.relu(out + x)
    return x


@pytest.mark.parametrize(('depth', 'width'), [(8, 1), (20, 1), (8, 4), (14, 4)])
def test_its_forward_is_the_papers(depth, width, layers_of, images):
    model = CifarResNet(depth, width)
    expected = reference(layers_of(model), images, (depth - 2) // 6)
    (features,) = model(images)
    assert features.shape == (2, 64 * width, 8, 12)
    torch.testing.assert_close(features, expected)


@pytest.mark.parametrize(('width', 'stem', 'projects'), [(1, 16, False), (4, 32, True)])
def test_the_first_stage_projects_where_it_widens_the_stem(width, stem, projects):
    model = CifarResNet(8, width)
    assert model.conv1.out_channels == stem
    assert (model.layer1[0].downsample is not None) == projects


def test_it_is_initialised_by_the_fan_out_with_live_blocks():
    torch.manual_seed(0)
    model = CifarResNet(20, 4)
    model.init_weights()
    for stage in (model.layer2, model.layer3):
        conv = stage[1].conv1
        assert conv.weight.std().item() == pytest.approx(
            (2 / (9 * conv.out_channels)) ** 0.5, rel=0.03
        )
        assert (stage[1].bn2.weight == 1).all()


@pytest.mark.parametrize('depth', [2, 18, 21, 34])
def test_a_depth_that_makes_none_is_refused(depth):
    with pytest.raises(ValueError, match=rf'depth must be 6 n \+ 2 .*got {depth}.*ResNet_CIFAR'):
        CifarResNet(depth)


def test_a_width_that_no_paper_has_is_refused():
    with pytest.raises(ValueError, match=r'width must be one of 1, 4, got 2'):
        CifarResNet(20, width=2)
