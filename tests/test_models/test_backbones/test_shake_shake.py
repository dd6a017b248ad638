"""Shake-Shake: its layers by a second forward, and its noise."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmtmix.models import ShakeShake
from mmtmix.models.backbones.shake_shake import ShakeBlock, ShiftedShortcut, shake

pytestmark = pytest.mark.host


def reference(layers, x, blocks):
    x = layers.norm(layers.conv(x, 'conv1'), 'bn1')
    for stage in range(3):
        for block in range(blocks):
            name, stride = f'layers.{stage}.{block}', 2 if stage > 0 and block == 0 else 1
            out = 0
            for branch in (f'{name}.branch1', f'{name}.branch2'):
                inner = layers.conv(F.relu(x), f'{branch}.0', stride)
                inner = layers.conv(F.relu(layers.norm(inner, f'{branch}.1')), f'{branch}.3')
                out = out + 0.5 * layers.norm(inner, f'{branch}.4')
            if out.size(1) != x.size(1):
                active = F.relu(x)
                moved = torch.zeros_like(active)
                moved[..., 1:, 1:] = active[..., :-1, :-1]
                paths = [
                    layers.conv(image[..., ::stride, ::stride], f'{name}.shortcut.conv{path}')
                    for path, image in ((1, active), (2, moved))
                ]
                x = layers.norm(torch.cat(paths, dim=1), f'{name}.shortcut.bn')
            x = x + out
    return F.relu(x)


@pytest.mark.parametrize('depth', [8, 14])
def test_in_eval_its_forward_is_the_papers_with_even_branches(depth, layers_of, images):
    model = ShakeShake(depth, base_channels=18)
    layers = layers_of(model)
    before = torch.get_rng_state()
    (features,) = model(images)
    assert torch.equal(torch.get_rng_state(), before)
    assert features.shape == (2, 72, 8, 12)
    torch.testing.assert_close(features, reference(layers, images, (depth - 2) // 6))


def test_the_second_path_of_a_shortcut_sees_the_pixels_up_and_left():
    shortcut = ShiftedShortcut(1, 2, stride=2)
    shortcut.bn = nn.Identity()
    for conv in (shortcut.conv1, shortcut.conv2):
        nn.init.ones_(conv.weight)
    x = 1 + torch.arange(16.0).view(1, 1, 4, 4)
    plain, shifted = shortcut(x)[0]
    assert plain.tolist() == [[1, 3], [9, 11]]
    assert shifted.tolist() == [[0, 0], [0, 6]]


def test_shake_weighs_forward_and_backward_apart():
    first, second = torch.randn(2, 3, 4, 2, 2, requires_grad=True).unbind()
    first.retain_grad()
    second.retain_grad()
    ahead, back = (torch.tensor(w).view(3, 1, 1, 1) for w in ([0.0, 0.3, 1.0], [0.9, 0.5, 0.2]))
    out = shake(first, second, ahead, back)
    torch.testing.assert_close(out, ahead * first + (1 - ahead) * second)
    gradient = torch.randn(out.shape)
    out.backward(gradient)
    torch.testing.assert_close(first.grad, back * gradient)
    torch.testing.assert_close(second.grad, (1 - back) * gradient)


def weights_of(block, x):
    """The weight of the first branch for each image, in the forward and the backward pass."""
    kept = []

    def keep(module, args, out):
        out.retain_grad()
        kept.append(out)

    block.branch1.register_forward_hook(keep)
    block.branch2.register_forward_hook(keep)
    out = block(x)
    out.sum().backward()
    first, second = kept
    inside = (out - x - second) / (first - second)
    for pixels in (inside, first.grad):  # one weight for all pixels of an image
        torch.testing.assert_close(
            pixels, pixels[:, :1, :1, :1].expand_as(pixels), atol=1e-2, rtol=0
        )
    torch.testing.assert_close(first.grad + second.grad, torch.ones_like(x))
    return inside.detach().flatten(1).median(dim=1).values, first.grad[:, 0, 0, 0]


@pytest.fixture
def block():
    torch.manual_seed(0)
    block = ShakeBlock(2, 2, 1)
    for branch in (block.branch1, block.branch2):
        branch[4] = nn.Identity()  # nothing but the weights is random then
        nn.init.constant_(branch[3].weight, 0.0)
    # so that the branches are 1 and 0 everywhere
    block.branch1[3].bias = nn.Parameter(torch.ones(2))
    return block


def test_in_training_each_image_draws_one_weight_forward_and_another_backward(block):
    x = torch.randn(1, 2, 3, 3).expand(2000, -1, -1, -1)
    ahead, back = weights_of(block.train(), x)
    for weights in (ahead, back):
        # uniform in [0, 1]
        assert weights.min() >= -1e-5
        assert weights.max() <= 1 + 1e-5
        assert weights.mean().item() == pytest.approx(0.5, abs=0.03)
        assert weights.std().item() == pytest.approx(12**-0.5, abs=0.015)
    assert torch.corrcoef(torch.stack([ahead, back]))[0, 1].abs() < 0.1


def test_in_eval_both_branches_weigh_the_same_both_ways(block):
    for weights in weights_of(block.eval(), torch.randn(5, 2, 3, 3)):
        torch.testing.assert_close(weights, torch.full_like(weights, 0.5))


def test_a_seed_decides_the_noise():
    model = ShakeShake(8, base_channels=18)
    images = torch.randn(2, 3, 16, 16)
    outputs = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        outputs.append(model(images)[0])
    torch.testing.assert_close(outputs[0], outputs[1])
    assert not torch.allclose(outputs[0], outputs[2])


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(depth=28), r'depth must be 6 n \+ 2 .*got 28'),
        (dict(base_channels=33), 'base_channels must be even, got 33'),
        (dict(base_channels=16), 'base_channels must be an integer >= 18, got 16'),
    ],
)
def test_what_makes_no_shake_shake_is_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        ShakeShake(**kwargs)
