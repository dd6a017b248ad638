"""PuzzleMix's PreActResNet against a second, functional forward."""

import pytest
import torch
import torch.nn.functional as F

from mmtmix.models import PreActResNet

pytestmark = pytest.mark.host


def reference(layers, x, stem_stride):
    x = layers.conv(x, 'conv1', stem_stride)
    for stage in range(4):
        for block in range(2):
            name = f'layers.{stage}.{block}'
            stride = 2 if stage > 0 and block == 0 else 1
            activated = F.relu(layers.norm(x, f'{name}.bn1'))
            out = F.relu(
                layers.norm(layers.conv(activated, f'{name}.conv1', stride), f'{name}.bn2')
            )
            out = layers.conv(out, f'{name}.conv2')
            if out.shape != x.shape:
                x = layers.conv(activated, f'{name}.shortcut', stride)
            x = out + x
    return x


@pytest.mark.parametrize('stem_stride', [1, 2])
def test_its_forward_is_puzzlemixs(stem_stride, layers_of, images):
    model = PreActResNet(18, stem_stride=stem_stride, base_channels=16)
    layers = layers_of(model)
    (features,) = model(images)
    assert features.shape == (2, 128, 4 // stem_stride, 6 // stem_stride)
    torch.testing.assert_close(features, reference(layers, images, stem_stride))


def test_nothing_follows_the_last_block(layers_of, images):
    model = PreActResNet(18, base_channels=8)
    layers_of(model)
    (features,) = model(images)
    assert (features < 0).any()
    assert (features > 0).any()
    assert list(model.state_dict())[-1] == 'layers.3.1.conv2.weight'


def test_it_keeps_torchs_own_initialisation():
    model = PreActResNet(18, base_channels=8)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.init_weights()
    torch.testing.assert_close(model.state_dict(), before, atol=0, rtol=0)


def test_no_convolution_has_a_bias_and_34_has_more_blocks():
    assert not [
        name for name in PreActResNet(base_channels=8).state_dict() if 'conv1.bias' in name
    ]
    assert [len(stage) for stage in PreActResNet(34, base_channels=8).layers] == [3, 4, 6, 3]


def test_unknown_values_are_refused():
    with pytest.raises(ValueError, match=r'depth must be one of 18, 34, got 50'):
        PreActResNet(50)
    with pytest.raises(ValueError, match='stem_stride must be one of 1, 2, got 4'):
        PreActResNet(stem_stride=4)
