"""Both ShuffleNets for small images against second, functional forwards."""

import pytest
import torch
import torch.nn.functional as F

from mmtmix.models import CifarShuffleNetV1, CifarShuffleNetV2

pytestmark = pytest.mark.host


def shuffle(x, groups):
    """Take a channel of each group in turn."""
    size = x.size(1) // groups
    return x[:, [group * size + place for place in range(size) for group in range(groups)]]


def first(layers, x):
    x = F.relu(layers.norm(layers.conv(x, 'conv1'), 'bn1'))
    for stage, blocks in enumerate((4, 8, 4)):
        for block in range(blocks):
            name, stride = f'layers.{stage}.{block}', 2 if block == 0 else 1
            groups = 1 if x.size(1) == 24 else 3
            out = layers.conv(x, f'{name}.conv1', groups=groups)
            out = shuffle(F.relu(layers.norm(out, f'{name}.bn1')), groups)
            assert block > 0 or out.size(1) == (54, 60, 120)[stage]
            out = layers.conv(out, f'{name}.conv2', stride, groups=out.size(1))
            out = layers.conv(F.relu(layers.norm(out, f'{name}.bn2')), f'{name}.conv3', groups=3)
            out = layers.norm(out, f'{name}.bn3')
            pooled = F.avg_pool2d(x, 3, 2, padding=1)
            x = F.relu(torch.cat([out, pooled], dim=1) if stride == 2 else out + x)
        assert x.size(1) == (240, 480, 960)[stage]
    return x


def second(layers, x):
    def unit(x, name, stride=1, depthwise=False, activate=True):
        x = layers.conv(x, f'{name}.conv', stride, groups=x.size(1) if depthwise else 1)
        x = layers.norm(x, f'{name}.bn')
        return F.relu(x) if activate else x

    x = unit(x, 'conv1')
    for stage, blocks in enumerate((4, 8, 4)):
        for block in range(blocks):
            name, stride = f'layers.{stage}.{block}', 2 if block == 0 else 1
            left, right = (x, x) if stride == 2 else x.chunk(2, dim=1)
            if stride == 2:
                left = unit(left, f'{name}.branch1.0', 2, depthwise=True, activate=False)
                left = unit(left, f'{name}.branch1.1')
            right = unit(right, f'{name}.branch2.0')
            right = unit(right, f'{name}.branch2.1', stride, depthwise=True, activate=False)
            right = unit(right, f'{name}.branch2.2')
            x = shuffle(torch.cat([left, right], dim=1), 2)
        assert x.size(1) == (116, 232, 464)[stage]
    return unit(x, 'layers.3')


@pytest.mark.parametrize(
    ('family', 'reference', 'width'),
    [(CifarShuffleNetV1, first, 960), (CifarShuffleNetV2, second, 1024)],
)
def test_its_forward_is_the_papers(family, reference, width, layers_of, images):
    model = family()
    layers = layers_of(model)
    (features,) = model(images)
    assert features.shape == (2, width, 4, 6)
    torch.testing.assert_close(features, reference(layers, images))


@pytest.mark.parametrize('family', [CifarShuffleNetV1, CifarShuffleNetV2])
def test_it_has_torchs_own_initialisation(family):
    torch.manual_seed(0)
    model = family()
    model.init_weights()
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d) and module.weight.numel() > 5_000:
            bound = (module.weight[0].numel()) ** -0.5
            assert module.weight.abs().max() <= bound
            assert module.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)


def test_the_second_obeys_an_init_cfg():
    model = CifarShuffleNetV2(init_cfg=dict(type='Constant', layer='BatchNorm2d', val=0.5))
    model.conv1.conv.weight.data.zero_()
    model.init_weights()
    assert model.conv1.conv.weight.any()


@pytest.mark.parametrize('family', [CifarShuffleNetV1, CifarShuffleNetV2])
def test_images_may_have_one_channel(family):
    model = family(in_channels=1)
    model.eval()
    assert model(torch.randn(1, 1, 28, 28))[0].shape[-2:] == (4, 4)
