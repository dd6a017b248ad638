"""SuperMix's masks and losses, against plain Python and float64."""

import math

import pytest
import torch
import torch.nn.functional as F

from mmtmix.functional.mask_losses import (
    forward_divergence,
    normalize_masks,
    reverse_divergence,
    sparsity,
    total_variation,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def draw_targets(num_samples=5, num_classes=6, num_mix=2):
    """Sparse rows on the simplex."""
    targets = torch.zeros(num_samples, num_classes)
    for row in targets:
        row[torch.randperm(num_classes, generator=seeded())[:num_mix]] = 1 / num_mix
    return targets


@pytest.mark.parametrize('num_mix', [2, 3, 4])
@pytest.mark.parametrize('size', [(16, 16), (12, 20), (5, 3)])
def test_masks_are_sigmoids_of_the_upsampled_divided_by_their_sum(num_mix, size):
    raw = 3 * torch.randn(4, num_mix, 8, 8, generator=seeded())
    shares = F.interpolate(raw.double(), size, mode='bilinear').sigmoid()
    masks = normalize_masks(raw, size)
    assert masks.shape == (4, num_mix, *size)
    expected = shares / shares.sum(dim=1, keepdim=True)
    torch.testing.assert_close(masks.double(), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize('value', [-1e5, -200.0, 0.0, 200.0, 1e5])
def test_masks_sum_to_1_whatever_the_raw_values(value):
    even = normalize_masks(torch.full((1, 3, 4, 4), value), (8, 8))
    torch.testing.assert_close(even, torch.full((1, 3, 8, 8), 1 / 3))
    raw = value * torch.randn(2, 3, 4, 4, generator=seeded())
    raw.requires_grad_()
    masks = normalize_masks(raw, (8, 8))
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(2, 8, 8))
    assert masks.ge(0).all()
    masks[:, 0].sum().backward()
    assert raw.grad.isfinite().all()


def test_masks_that_are_decided_or_halved_have_a_known_sparsity():
    decided = F.one_hot(torch.randint(3, (2, 6, 7), generator=seeded()), 3).permute(0, 3, 1, 2)
    assert sparsity(decided.float()).tolist() == [0, 0]
    assert sparsity(torch.full((3, 2, 6, 7), 0.5)).tolist() == [0.25] * 3
    assert sparsity(torch.full((1, 4, 6, 7), 0.25)).item() == pytest.approx(3 / 16)


def test_sparsity_is_the_mean_of_each_samples_m_times_1_minus_m():
    masks = torch.rand(3, 2, 4, 5, generator=seeded())
    for mask, value in zip(masks, sparsity(masks).tolist(), strict=True):
        pixels = mask.flatten().tolist()
        assert value == pytest.approx(sum(m * (1 - m) for m in pixels) / len(pixels))


@pytest.mark.parametrize('order', [2.0, 3.0])
def test_total_variation_is_the_p_norm_of_the_pixels_differences(order):
    masks = torch.rand(3, 2, 4, 5, generator=seeded())
    for sample, value in zip(masks.double(), total_variation(masks, order), strict=True):
        total = 0.0
        for mask in sample.tolist():
            for y, row in enumerate(mask):
                for x, here in enumerate(row):
                    down = abs(mask[y + 1][x] - here) if y + 1 < 4 else 0.0
                    right = abs(row[x + 1] - here) if x + 1 < 5 else 0.0
                    total += (down**order + right**order) ** (1 / order)
        assert value.item() == pytest.approx(total / 40, rel=1e-4)


def test_constant_masks_have_next_to_no_variation_and_finite_gradients():
    masks = torch.full((2, 3, 8, 8), 1 / 3, requires_grad=True)
    variation = total_variation(masks)
    assert variation.detach().tolist() == pytest.approx([0, 0], abs=2e-6)
    variation.sum().backward()
    assert torch.equal(masks.grad, torch.zeros_like(masks))


def test_the_gradient_of_total_variation_lessens_it():
    masks = torch.rand(1, 2, 8, 8, generator=seeded(), requires_grad=True)
    before = total_variation(masks)
    before.sum().backward()
    assert masks.grad.isfinite().all()
    assert total_variation(masks.detach() - masks.grad) < before


def test_forward_divergence_is_kl_of_targets_and_predictions():
    logits, targets = 3 * torch.randn(5, 6, generator=seeded()), draw_targets()
    losses = forward_divergence(logits, targets).tolist()
    for row, shares, loss in zip(logits.tolist(), targets.tolist(), losses, strict=True):
        total = sum(math.exp(score) for score in row)
        probs = [math.exp(score) / total for score in row]
        expected = sum(y * math.log(y / f) for y, f in zip(shares, probs, strict=True) if y)
        assert loss == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize('smoothing', [1e-3, 0.2, 1.0])
def test_reverse_divergence_is_kl_of_predictions_and_smoothed_targets(smoothing):
    logits, targets = 3 * torch.randn(5, 6, generator=seeded()), draw_targets()
    losses = reverse_divergence(logits, targets, smoothing).tolist()
    for row, shares, loss in zip(logits.tolist(), targets.tolist(), losses, strict=True):
        total = sum(math.exp(score) for score in row)
        expected = 0.0
        for score, share in zip(row, shares, strict=True):
            prob, smoothed = math.exp(score) / total, share * (1 - smoothing) + smoothing / 6
            expected += prob * math.log(prob / smoothed)
        assert loss == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_divergences_are_0_where_the_prediction_is_the_target():
    targets = torch.rand(4, 6, generator=seeded()).softmax(dim=1)
    zero = torch.zeros(4)
    torch.testing.assert_close(forward_divergence(targets.log(), targets), zero, atol=1e-6, rtol=0)
    smoothed = 0.9 * targets + 0.1 / 6
    losses = reverse_divergence(smoothed.log(), targets, 0.1)
    torch.testing.assert_close(losses, zero, atol=1e-6, rtol=0)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize('size', [0.0, 1.0, 6e4])
def test_divergences_are_finite_in_float32_for_sparse_targets(dtype, size):
    logits = (size * torch.randn(5, 6, generator=seeded()).clamp(-1, 1)).to(dtype)
    for num_mix in (1, 2):
        targets = draw_targets(num_mix=num_mix)
        divergences = forward_divergence(logits, targets), reverse_divergence(logits, targets, 0.1)
        for losses in divergences:
            assert losses.dtype == torch.float32
            assert losses.isfinite().all()
            assert losses.ge(0).all()
