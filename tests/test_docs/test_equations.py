"""The equations of docs/methods.md, written out in loops, and the functions that compute them."""

import math
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from mmtmix.engine.distillation.mixes import MixedBatch
from mmtmix.engine.distillation.objective import DistillObjective
from mmtmix.engine.distillation.presets import choose_method
from mmtmix.engine.distillation.student import Student
from mmtmix.functional import (
    MaskModel,
    SuperMixSettings,
    blend,
    class_activation_map,
    draw_index,
    draw_weights,
    evidence_from_cams,
    gaussian_kernel,
    gaussian_smooth,
    kd_divergence,
    min_max,
    mix_targets,
    normalize_masks,
    similar_shares,
    unit_mass,
    visible_shares,
    warp,
)
from mmtmix.functional.supermix_objective import newton_step, objective
from mmtmix.models.mix_watch import watching_mixes
from mmtmix.models.mixers import TransformMixer
from mmtmix.models.search import MixerSearch

pytestmark = pytest.mark.host
N, K, C, SIDE = 3, 2, 5, 6


@pytest.fixture
def drawn():
    generator = torch.Generator().manual_seed(0)
    weights = torch.tensor([[0.9, 0.1], [0.5, 0.5], [0.3, 0.7]])
    return weights, lambda *shape: torch.randn(*shape, generator=generator)


@pytest.mark.parametrize(('num_mix', 'alpha'), [(2, 1.0), (3, 0.4)])
def test_weights_and_partners(num_mix, alpha):
    generator = torch.Generator().manual_seed(0)
    weights = draw_weights(20000, num_mix, alpha, generator).double()
    assert (weights >= 0).all() and torch.allclose(weights.sum(1), torch.ones(20000).double())
    # mean and covariance of a symmetric Dirichlet distribution
    mean, total = 1 / num_mix, num_mix * alpha + 1
    covariance = (torch.eye(num_mix).double() * mean - mean**2) / total
    assert torch.allclose(weights.mean(0), torch.full((num_mix,), mean).double(), atol=0.01)
    assert torch.allclose(weights.T.cov(), covariance, atol=0.005)
    index = draw_index(9, num_mix, generator).tolist()
    after = {row[0]: row[1] for row in index}  # the next image in the shuffled order
    for own, row in enumerate(index):
        assert row[0] == own and all(b == after[a] for a, b in zip(row, row[1:], strict=False))
        assert len(set(row)) == num_mix
    assert all(sum(row.count(image) for row in index) == num_mix for image in range(9))


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


def test_orientation_and_noise_of_transformmix(drawn):
    weights, normal = drawn
    weights = weights.repeat(3, 1)[:8]
    mixer = TransformMixer(cam_size=18, mask_size=None, saliency_noise=0.5)
    torch.nn.init.normal_(
        mixer.stn.fc.weight, std=0.01, generator=torch.Generator().manual_seed(1)
    )
    saliency, z, epsilon = (
        normal(8, K, 1, 18, 18).sigmoid(),
        normal(8, 1, 4, 4),
        normal(8, K, 4, 4),
    )
    # all eight orientations: exchanged axes, left and right flipped, top and bottom flipped
    signs = torch.tensor([[n & 1, n & 2, n & 4] for n in range(8)]).bool()
    planes = torch.where(signs, 1.0, -1.0)[..., None, None].expand(-1, -1, 4, 4)

    def turned(maps, n):
        maps = maps.mT if signs[n, 0] else maps
        maps = maps.flip(-1) if signs[n, 1] else maps
        return maps.flip(-2) if signs[n, 2] else maps

    noisy = saliency + 0.5 * F.interpolate(epsilon, size=18, mode='bilinear')[:, :, None]
    images = normal(8, K, 3, 18, 18)
    with torch.no_grad():
        theta, masks = mixer(saliency, weights, torch.cat([z, planes, epsilon], dim=1))
        mixer.random_orientation, mixer.saliency_noise = False, 0.0
        mixer._noise_channels = (1, 0, 0)
        for n in range(8):
            own = slice(n, n + 1)
            plain, expected = mixer(turned(noisy[own], n), weights[own], z[own])
            assert torch.allclose(turned(masks[own], n), expected, atol=1e-4)
            moved = warp(images[own], theta[own], 'border')
            assert torch.allclose(
                turned(moved, n), warp(turned(images[own], n), plain, 'border'), atol=1e-4
            )


def test_search(drawn, make_teacher):
    normal = drawn[1]
    mixer = dict(type='TransformMixer', cam_size=18)
    search = MixerSearch(teacher=make_teacher(num_classes=C), mixer=mixer)
    samples = [DataSample().set_gt_label(label) for label in (3, 1, 4, 0)]
    made = []
    with watching_mixes(made.append):
        loss = search(normal(4, 3, 16, 16), samples, mode='loss')['loss']
    loss.backward()
    (mix,) = made
    total = 0.0
    for n in range(4):
        pairs = zip(mix.details['weights'][n], mix.details['index'][n], strict=True)
        target = sum(weight * torch.eye(C)[[3, 1, 4, 0][i]] for weight, i in pairs)
        logits = search.teacher(mix.mixed[n : n + 1])[0]
        total -= float((target * logits.softmax(0).log()).detach().sum())
    assert float(loss.detach()) == pytest.approx(total / 4, rel=1e-4)
    learned = {name for name, value in search.named_parameters() if value.grad is not None}
    assert learned == {f'mixer.{name}' for name, _ in search.mixer.named_parameters()}


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
    # scaled to a sum of 1; those of constant masks are the weights
    scaled = unit_mass(saliency.flatten(0, 1)).view_as(saliency)
    assert torch.allclose(scaled, saliency / saliency.sum((2, 3, 4), keepdim=True), atol=1e-6)
    constant = weights[..., None, None, None].expand_as(masks)
    assert torch.allclose(visible_shares(scaled, constant), weights, atol=1e-6)
    of_mix, of_image = normal(N, C), normal(N, C)
    shares = similar_shares(of_mix, of_image, weights, index, 0.1)
    for n in range(N):
        powers = [
            weights[n, i]
            * torch.exp(F.cosine_similarity(of_mix[n], of_image[index[n, i]], 0) / 0.1)
            for i in range(K)
        ]
        assert torch.allclose(shares[n], torch.stack(powers) / sum(powers), atol=1e-6)


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


def test_faster_start_of_supermix(drawn):
    weights, normal = drawn
    classes = torch.tensor([[0, 1], [2, 2], [4, 3]])
    # small evidence saturates the masks, which then hardly depend on the number of steps
    logits = 10 * normal(N * K, C)
    evidence = evidence_from_cams(10 * normal(N * K, C, 4, 4), logits, 4)
    assert torch.allclose(evidence.mean(dim=(2, 3)), logits, atol=1e-4)
    evidence = evidence.view(N, K, C, 4, 4)
    settings = SuperMixSettings(mask_size=4, lambda_s=0.0)
    model = MaskModel(evidence, classes, weights, settings)
    raw, true = 0.1 * normal(N, K, 4, 4), normal(N, C)
    found = []
    for correction in (None, true):
        if correction is not None:
            model.correct(torch.arange(N), raw, correction)
        found.append(normalize_masks(model.improve(torch.arange(N), raw), (4, 4)))

    def guess(masks, offsets):
        shown = masks[:, :, None] * evidence
        for i, u, v in product(range(K), range(4), range(4)):
            offsets = offsets + shown[:, i, :, u, v] / 16
        return offsets

    def ten_steps(offsets):
        present = raw
        for _ in range(10):
            present = present.detach().requires_grad_()
            squashed = present.sigmoid()
            masks = squashed / squashed.sum(1, keepdim=True)
            spent = SuperMixSettings(lambda_s=5.0)
            losses = objective(guess(masks, offsets), masks, classes, weights, spent)
            (gradients,) = torch.autograd.grad(losses.sum(), present)
            step = newton_step(losses.detach(), gradients, gaussian_kernel(1.0), spent)
            present = (present - step).clamp(-3.7, 3.7)
        return normalize_masks(present.detach(), (4, 4))

    assert torch.allclose(found[0], ten_steps(torch.zeros(N, C)), atol=1e-3)
    squashed = raw.sigmoid()
    offsets = true - guess(squashed / squashed.sum(1, keepdim=True), torch.zeros(N, C))
    assert torch.allclose(found[1], ten_steps(offsets), atol=1e-3)


@pytest.mark.parametrize(
    ('preset', 'gamma', 'beta'), [('ce_mixed', 2.0, 0.0), ('kd_mixed', 1.8, 0.2)]
)
def test_distillation(drawn, make_teacher, teacher_config, preset, gamma, beta):
    normal = drawn[1]
    teacher = make_teacher(num_classes=C)
    model = dict(teacher_config(num_classes=C)['model'], _scope_='mmpretrain')
    network = MODELS.build(model).eval()  # batch norm doesn't change between the passes
    clean, mixed, labels = normal(N, 3, 16, 16), normal(N, 3, 16, 16), [3, 0, 2]
    samples = [DataSample().set_gt_label(label) for label in labels]

    class Given:
        def draw(self, *args):
            return MixedBatch(mixed)

    method = choose_method(preset, None, None, dict(augment=dict(type='SuperMix')))
    student = Student(network)
    student.attach()
    terms = DistillObjective(
        student, teacher, method.losses, Given(), method.cls_weight, 'hard_teacher', 'clean'
    )(clean, samples, network.loss(clean, samples), seed=0)
    with torch.no_grad():
        own, other = network(clean), network(mixed)
        winners = [int(logits.argmax()) for logits in teacher(mixed)]
        expected = beta * float(kd_divergence(own, teacher(clean), 4.0))
        for n in range(N):
            for logits, label in ((own[n], labels[n]), (other[n], winners[n])):
                expected -= gamma / N * float(logits.log_softmax(0)[label])
    assert float(sum(terms.values()).detach()) == pytest.approx(expected, rel=1e-4)


def test_hinton_s_term(drawn):
    student, teacher = drawn[1](N, C), drawn[1](N, C)
    total = 0.0
    for a, b in zip(student, teacher, strict=True):
        q_a, q_b = (a / 4).softmax(0), (b / 4).softmax(0)
        total += 16 * float((q_b * (q_b / q_a).log()).sum())
    assert float(kd_divergence(student, teacher, 4.0)) == pytest.approx(total / N, rel=1e-4)
