"""The equations of docs/methods.md, written out in loops, and the functions that compute them."""

import math

import pytest
import torch
import torch.nn.functional as F

from mmtmix.functional import (
    SuperMixSettings,
    blend,
    class_activation_map,
    gaussian_kernel,
    gaussian_smooth,
    kd_divergence,
    min_max,
    mix_targets,
    normalize_masks,
    visible_shares,
)
from mmtmix.functional.supermix_objective import newton_step, objective
from mmtmix.models.mixers import TransformMixer

pytestmark = pytest.mark.host
N, K, C, SIDE = 3, 2, 5, 6


@pytest.fixture
def drawn():
    generator = torch.Generator().manual_seed(0)
    weights = torch.tensor([[0.9, 0.1], [0.5, 0.5], [0.3, 0.7]])
    return weights, lambda *shape: torch.randn(*shape, generator=generator)


def test_saliency(drawn):
    features, weight = drawn[1](N, 4, 3, 3), drawn[1](C, 4)
    cam = class_activation_map(features, weight, torch.tensor([0, 2, 4]))
    saliency = min_max(cam)
    for n, c in enumerate((0, 2, 4)):
        own = sum(weight[c, d] * features[n, d] for d in range(4))
        assert torch.allclose(cam[n, 0], own, atol=1e-5)
        scaled = (own - own.min()) / (own.max() - own.min())
        assert torch.allclose(saliency[n, 0], scaled, atol=1e-5)


def test_masks_and_warps_of_transformmix(drawn):
    weights, normal = drawn
    mixer = TransformMixer(
        cam_size=18, mask_size=None, random_orientation=False, saliency_noise=0.0, temperature=0.7
    )
    torch.nn.init.normal_(
        mixer.stn.fc.weight, std=0.01, generator=torch.Generator().manual_seed(1)
    )
    saliency, noise = normal(N, K, 1, 18, 18).sigmoid(), normal(N, 1, 4, 4)
    with torch.no_grad():
        theta, masks = mixer(saliency, weights, noise)
        planes = weights[:, :1, None, None].expand(-1, -1, 18, 18)
        plane = F.interpolate(noise, size=18, mode='bilinear')
        moved = mixer.stn(saliency[:, :, 0], planes, plane)  # identity + Delta
        identity = torch.eye(2, 3)
        for n in range(N):
            rho = K / (K - 1) * (1 - weights[n].max())
            assert torch.allclose(theta[n], identity + rho * (moved[n] - identity), atol=1e-6)
        grid = F.affine_grid(theta.flatten(0, 1), (N * K, 1, 18, 18), align_corners=False)
        warped = F.grid_sample(saliency.flatten(0, 1), grid, align_corners=False)
        logits = mixer.mask_network(warped.view(N, K, 18, 18), planes)
        raised = weights[..., None, None] * torch.exp(logits / 0.7)
        expected = raised / raised.sum(1, keepdim=True)
    assert torch.allclose(masks[:, :, 0], expected, atol=1e-4)


def test_mix_and_labels(drawn):
    weights, normal = drawn
    images, masks = normal(N, K, 3, SIDE, SIDE), normal(N, K, 1, SIDE, SIDE).softmax(1)
    mixed = sum(masks[:, i] * images[:, i] for i in range(K))
    assert torch.allclose(blend(images, masks), mixed, atol=1e-6)
    scores, index = torch.eye(C)[[0, 3, 1]], torch.tensor([[0, 1], [1, 2], [2, 0]])
    for n in range(N):
        label = sum(weights[n, i] * scores[index[n, i]] for i in range(K))
        assert torch.allclose(mix_targets(scores, weights, index)[n], label)
    saliency = normal(N, K, 1, SIDE, SIDE).sigmoid()
    seen = (masks * saliency).sum(dim=(2, 3, 4))
    shares = visible_shares(saliency, masks)
    assert torch.allclose(shares, seen / seen.sum(1, keepdim=True), atol=1e-6)


def test_objective_and_step_of_supermix(drawn):
    weights, normal = drawn
    raw, logits = normal(N, K, 4, 4), normal(N, C)
    masks = normalize_masks(raw, (SIDE, SIDE))
    squashed = F.interpolate(raw, size=SIDE, mode='bilinear').sigmoid()
    assert torch.allclose(masks, squashed / squashed.sum(1, keepdim=True), atol=1e-6)
    classes = torch.tensor([[0, 1], [2, 2], [4, 3]])
    settings = SuperMixSettings(lambda_s=25.0)
    losses = objective(logits, masks, classes, weights, settings)
    gradients = normal(N, K, 4, 4)
    kernel = gaussian_kernel(1.0)
    steps = newton_step(losses, gradients, kernel, settings)
    smooth = gaussian_smooth(gradients, kernel)
    for n in range(N):
        target = [0.0] * C
        for i in range(K):
            target[classes[n, i]] += float(weights[n, i])
        p = logits[n].softmax(0)
        divergence = sum(y * math.log(y / float(p[c])) for c, y in enumerate(target) if y)
        sparsity = float((masks[n] * (1 - masks[n])).mean())
        assert float(losses[n]) == pytest.approx(divergence + 25 * sparsity, rel=1e-4)
        slope = float((smooth[n] * gradients[n]).sum())
        length = min(max(float(losses[n]) / (slope + 1e-10), 1e-4), 2000)
        assert torch.allclose(steps[n], length * smooth[n], rtol=1e-4)


def test_hinton_s_term(drawn):
    student, teacher = drawn[1](N, C), drawn[1](N, C)
    total = 0.0
    for a, b in zip(student, teacher, strict=True):
        q_a, q_b = (a / 4).softmax(0), (b / 4).softmax(0)
        total += 16 * float((q_b * (q_b / q_a).log()).sum())
    assert float(kd_divergence(student, teacher, 4.0)) == pytest.approx(total / N, rel=1e-4)
