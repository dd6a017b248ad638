"""The two networks called WRN, against published sizes and a second, functional forward."""

import pytest
import torch
import torch.nn.functional as F

from mmtmix.models import WideResNet

LAYOUTS = pytest.mark.parametrize('layout', ['distill', 'puzzle'])


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ('depth', 'widen_factor', 'layout', 'parameters'),
    [
        (16, 1, 'distill', 180_916),
        (16, 2, 'distill', 703_284),
        (40, 1, 'distill', 569_780),
        (40, 2, 'distill', 2_255_156),
        (28, 10, 'distill', 36_536_884),
        (28, 10, 'puzzle', 36_546_980),
    ],
)
def test_with_100_classes_it_has_the_published_size(depth, widen_factor, layout, parameters):
    with torch.device('meta'):
        backbone = WideResNet(depth, widen_factor, layout=layout)
        classifier = torch.nn.Linear(64 * widen_factor, 100)
    assert count(backbone) + count(classifier) == parameters


@LAYOUTS
@pytest.mark.parametrize('shape', [(1, 28, 28), (3, 32, 32), (3, 24, 40)])
def test_it_gives_one_activated_map_at_a_quarter_of_the_size(layout, shape):
    (features,) = WideResNet(10, 2, in_channels=shape[0], layout=layout)(torch.randn(2, *shape))
    assert features.shape == (2, 128, shape[1] // 4, shape[2] // 4)
    assert (features >= 0).all()
    assert (features == 0).any()


def reference(state, x, layout, blocks):
    """Wide ResNet written from the papers' code, on the weights of a state dict."""

    def norm(x, name):
        values = [state[f'{name}.{key}'] for key in ('running_mean', 'running_var')]
        return F.relu(F.batch_norm(x, *values, state[f'{name}.weight'], state[f'{name}.bias']))

    def conv(x, name, stride=1):
        weight = state[f'{name}.weight']
        padding = weight.size(-1) // 2
        return F.conv2d(x, weight, state.get(f'{name}.bias'), stride, padding)

    x = conv(x, 'conv1')
    for stage in range(3):
        for block in range(blocks):
            name = f'layers.{stage}.{block}'
            stride = 2 if stage > 0 and block == 0 else 1
            widens = state[f'{name}.conv1.weight'].size(0) != x.size(1)
            out = norm(x, f'{name}.bn1')
            shortcut = x
            if widens or stride == 2:
                raw = x if layout == 'puzzle' else out
                shortcut = conv(raw, f'{name}.shortcut', stride)
            strides = (1, stride) if layout == 'puzzle' else (stride, 1)
            out = conv(out, f'{name}.conv1', strides[0])
            x = conv(norm(out, f'{name}.bn2'), f'{name}.conv2', strides[1]) + shortcut
    return norm(x, 'bn1')


@LAYOUTS
@pytest.mark.parametrize('widen_factor', [1, 2])
def test_its_forward_is_the_papers(layout, widen_factor):
    torch.manual_seed(0)
    model = WideResNet(16, widen_factor, layout=layout)
    model.eval()
    for name, value in model.state_dict().items():
        if 'bn' in name and value.is_floating_point():
            value.uniform_(0.5, 1.5)
    images = torch.randn(2, 3, 16, 16)
    expected = reference(model.state_dict(), images, layout, blocks=2)
    torch.testing.assert_close(model(images)[0], expected)


def test_distill_has_no_convolution_bias_and_puzzle_has_one_everywhere():
    for layout, expected in (('distill', False), ('puzzle', True)):
        convs = [
            m for m in WideResNet(10, 2, layout=layout).modules() if type(m).__name__ == 'Conv2d'
        ]
        assert [conv.bias is not None for conv in convs] == [expected] * len(convs)


def test_only_puzzles_last_norm_has_another_momentum():
    for layout, last in (('distill', 0.1), ('puzzle', 0.9)):
        model = WideResNet(10, 1, layout=layout)
        momenta = [m.momentum for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        assert momenta == [0.1] * 6 + [last]


def test_distill_is_initialised_by_the_fan_out():
    torch.manual_seed(0)
    model = WideResNet(16, 4)
    model.init_weights()
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d) and module.weight.numel() > 10_000:
            kernel = module.kernel_size[0] * module.kernel_size[1]
            expected = (2 / (kernel * module.out_channels)) ** 0.5
            assert module.weight.std().item() == pytest.approx(expected, rel=0.03)


def test_puzzle_keeps_torchs_own_initialisation():
    model = WideResNet(10, 1, layout='puzzle')
    before = model.conv1.weight.clone()
    model.init_weights()
    assert torch.equal(model.conv1.weight, before)


@pytest.mark.parametrize('depth', [4, 12, 18, 27])
def test_a_depth_that_makes_no_wrn_is_refused(depth):
    with pytest.raises(ValueError, match=rf'depth must be .*got {depth}'):
        WideResNet(depth, 1)


def test_an_unknown_layout_is_refused():
    with pytest.raises(ValueError, match="layout must be one of .*'wide'"):
        WideResNet(16, 1, layout='wide')
