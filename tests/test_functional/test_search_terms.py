"""Terms of a search: by loops, their bounds and their gradients."""

import math

import pytest
import torch

from mmtmix.functional import hardness, image_share, mode_seeking


def some(scale=2.0):
    generator = torch.Generator().manual_seed(0)
    logits = scale * torch.randn(5, 4, generator=generator)
    targets = torch.randn(5, 4, generator=generator).softmax(dim=1)
    return logits, targets


@pytest.mark.parametrize('form', ['clipped', 'unlikelihood'])
def test_hardness_by_a_loop(form):
    logits, targets = some()
    found = hardness(logits, targets, form)
    for n in range(5):
        probs = logits[n].double().softmax(dim=0)
        if form == 'clipped':
            entropy = -sum(float(t) * math.log(p) for t, p in zip(targets[n], probs, strict=True))
            expected = -min(entropy, math.log(4))
        else:
            pairs = zip(targets[n], probs, strict=True)
            expected = -sum(float(t) * math.log(1 - p) for t, p in pairs)
        assert found[n].item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(('form', 'least'), [('clipped', -math.log(4)), ('unlikelihood', 0.0)])
def test_hardness_is_bounded_and_its_gradient_vanishes_where_mixes_are_hard(form, least):
    targets = torch.tensor([[1.0, 0, 0, 0]])
    values, slopes = [], []
    for margin in (-60.0, -20.0, 1.0, 200.0):
        logits = torch.tensor([[margin, 0, 0, 0]], requires_grad=True)
        term = hardness(logits, targets, form)
        term.sum().backward()
        values.append(term.item())
        slopes.append(logits.grad.abs().max().item())
    assert values == sorted(values) and min(values) >= least - 1e-6
    assert all(map(math.isfinite, values + slopes))
    assert max(slopes[:2]) < 1e-6 < slopes[2]


def test_masks_that_ignore_noise_cost_most():
    generator = torch.Generator().manual_seed(0)
    masks, noise, other = (torch.rand(3, 2, 1, 4, 4, generator=generator) for _ in range(3))
    assert mode_seeking(masks, masks, noise, other).item() == pytest.approx(10)
    far = mode_seeking(masks, 1 - masks, noise, other).item()
    near = mode_seeking(masks, masks + 0.01, noise, other).item()
    apart = sum(abs(float(m) - (1 - float(m))) for m in masks.flatten()) / masks.numel()
    pairs = zip(noise.flatten(), other.flatten(), strict=True)
    distance = sum(abs(float(a) - float(b)) for a, b in pairs) / noise.numel()
    assert far == pytest.approx(1 / (apart / distance + 0.1), rel=1e-4)
    assert far < near < 10


def test_the_share_of_images_is_that_of_the_variance():
    generator = torch.Generator().manual_seed(0)
    own = torch.randn(9, 2, 2, 3, generator=generator)
    common = torch.randn(1, 2, 2, 3, generator=generator)
    identity = torch.eye(2, 3)
    assert image_share(identity + common.expand_as(own)).item() == pytest.approx(0, abs=1e-6)
    assert image_share(identity.expand(4, 2, 2, 3)).item() == 0
    assert image_share(identity + own - own.mean(dim=0)).item() == pytest.approx(1, abs=1e-5)
    moved = own + common
    total = sum(float(value) ** 2 for value in moved.flatten()) / moved.numel()
    between = sum(
        float(((moved[:, k, r, c] - moved[:, k, r, c].mean()) ** 2).mean())
        for k in range(2) for r in range(2) for c in range(3)
    ) / 12  # fmt: skip
    assert image_share(identity + moved).item() == pytest.approx(between / total, rel=1e-4)
