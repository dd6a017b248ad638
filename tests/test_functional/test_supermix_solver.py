"""SuperMix's steps against a second implementation, from the formulas and in float64."""

import copy

import pytest
import torch
import torch.nn.functional as F

from mmtmix.functional import SuperMixSettings, draw_weights
from mmtmix.functional.smooth import gaussian_kernel
from mmtmix.functional.supermix_objective import newton_step, objective


def fixed(steps):
    """Settings with which each sample takes that many steps."""
    return dict(max_unfinished_ratio=0.0, min_change=0.0, min_iters=steps, max_iters=steps)


def reference_masks(raw, size):
    shares = F.interpolate(raw[None], size, mode='bilinear', align_corners=False)[0].sigmoid()
    return shares / shares.sum(dim=0)


def reference_loss(masks, logits, classes, weights, settings):
    """The objective of one sample, in float64."""
    probs = logits.softmax(dim=0)
    targets = torch.zeros_like(probs)
    for label, weight in zip(classes.tolist(), weights.tolist(), strict=True):
        targets[label] += weight
    if settings.divergence == 'forward':
        there = targets > 0
        loss = (targets[there] * (targets[there] / probs[there]).log()).sum()
    else:
        smoothed = (1 - settings.smoothing) * targets + settings.smoothing / len(targets)
        loss = (probs * (probs / smoothed).log()).sum()
    loss = loss + settings.lambda_s * (masks * (1 - masks)).mean()
    if settings.method == 'newton':
        return loss
    down, right = torch.full_like(masks, 1e-6), torch.full_like(masks, 1e-6)
    down[:, :-1] = masks.diff(dim=1).abs().clamp(min=1e-6)
    right[:, :, :-1] = masks.diff(dim=2).abs().clamp(min=1e-6)
    return loss + settings.lambda_sigma * (down**3 + right**3).pow(1 / 3).mean()


def reference_smooth(gradient, settings):
    """A 2-D Gaussian of 2.5 sigma to each side, applied as one convolution."""
    reach = int(2.5 * settings.sigma)
    rows, columns = torch.meshgrid(*2 * [torch.arange(-reach, reach + 1)], indexing='ij')
    window = (-(rows**2 + columns**2).double() / (2 * settings.sigma**2)).exp()
    window = (window / window.sum())[None, None]
    return F.conv2d(gradient[:, None], window, padding=reach)[:, 0]


def reference(problem, sample, steps, settings):
    """Masks and logits of one sample after some steps, in float64, one thing at a time."""
    images, teacher = problem.images[sample].double(), copy.deepcopy(problem.teacher).double()
    raw = torch.zeros(len(images), *2 * [settings.mask_size], dtype=torch.double)
    for step in range(steps + 1):
        raw.requires_grad_()
        masks = reference_masks(raw, images.shape[-2:])
        logits = teacher((masks[:, None] * images).sum(dim=0)[None])[0]
        if step == steps:
            return masks.detach(), logits.detach()
        arguments = problem.classes[sample], problem.weights[sample].double(), settings
        loss = reference_loss(masks, logits, *arguments)
        (gradient,) = torch.autograd.grad(loss, raw)
        if settings.method == 'sgd':
            raw = raw.detach() - settings.lr * gradient
            continue
        smooth = reference_smooth(gradient, settings) if settings.method == 'newton' else gradient
        length = loss.item() / ((smooth * gradient).sum().item() + 1e-10)
        low, high = settings.step_range
        raw = raw.detach() - min(max(length, low), high) * smooth


@pytest.mark.parametrize('steps', [1, 2])
@pytest.mark.parametrize('method', ['newton', 'newton_tv', 'sgd'])
@pytest.mark.parametrize(
    ('num_mix', 'settings'),
    [
        (2, dict(divergence='forward')),
        (
            3,
            dict(
                divergence='forward',
                lambda_s=2.0,
                lambda_sigma=3.0,
                sigma=2.0,
                mask_size=5,
                lr=2.0,
            ),
        ),
        (2, dict(divergence='reverse', lr=0.7)),
        (
            3,
            dict(divergence='reverse', smoothing=0.2, lambda_s=0.0, lr=9.0, step_range=(2.0, 4.0)),
        ),
    ],
)
def test_steps_are_those_of_the_formulas(make_problem, steps, method, num_mix, settings):
    problem = make_problem(5, num_mix, (3, 12, 10), scale=2.0)
    settings = dict(settings, method=method, **fixed(steps))
    solution = problem.solve(**settings)
    assert solution.iterations.tolist() == [steps] * 5
    for sample in range(5):
        masks, logits = reference(problem, sample, steps, SuperMixSettings(**settings))
        moved = (masks - 1 / num_mix).abs().max().item()
        assert moved > 1e-3
        found = solution.masks[sample, :, 0].double()
        torch.testing.assert_close(found, masks, atol=1e-3 * moved, rtol=0)
        torch.testing.assert_close(solution.logits[sample].double(), logits, atol=5e-3, rtol=1e-3)


@pytest.mark.parametrize('method', ['newton', 'newton_tv', 'sgd'])
@pytest.mark.parametrize('divergence', ['forward', 'reverse'])
@pytest.mark.parametrize('num_mix', [2, 4])
def test_the_objective_is_that_of_the_formulas(num_mix, divergence, method):
    generator = torch.Generator().manual_seed(0)
    logits = 4 * torch.randn(8, 5, generator=generator)
    masks = torch.rand(8, num_mix, 6, 9, generator=generator)
    classes = torch.randint(5, (8, num_mix), generator=generator)
    assert any(len(set(row)) < num_mix for row in classes.tolist())  # whose weights add up
    weights = draw_weights(8, num_mix, 3.0, generator)
    settings = SuperMixSettings(divergence=divergence, method=method, smoothing=0.05)
    losses = objective(logits, masks, classes, weights, settings)
    samples = zip(masks.double(), logits.double(), classes, weights.double(), strict=True)
    expected = torch.stack([reference_loss(*sample, settings) for sample in samples])
    torch.testing.assert_close(losses.double(), expected, atol=1e-5, rtol=1e-5)


@pytest.fixture
def step():
    """A loss and a gradient with a single entry, and what a method makes of them."""
    gradients = torch.zeros(1, 1, 11, 11)
    gradients[0, 0, 5, 5] = 2.0

    def take(loss=1.0, **settings):
        settings = SuperMixSettings(**settings)
        kernel = gaussian_kernel(settings.sigma, settings.legacy_kernel)
        return newton_step(torch.tensor([loss]), gradients, kernel, settings)[0, 0]

    return take


def test_step_range_bounds_the_length_of_a_step(step):
    for loss, length in ((0.0, 0.3), (4.0, 1.0), (1e6, 7.0)):  # 4 is the gradient's square
        update = step(loss, method='newton_tv', step_range=(0.3, 7.0))
        assert update[5, 5].item() == pytest.approx(2 * length)
        assert update.count_nonzero() == 1


def test_lr_is_the_length_of_plain_descent(step):
    assert step(method='sgd', lr=0.3)[5, 5].item() == pytest.approx(0.6)
    assert torch.equal(step(1.0, method='sgd'), step(9.0, method='sgd'))


def test_a_larger_sigma_spreads_a_step(step):
    reached = [step(sigma=sigma).count_nonzero().item() for sigma in (0.3, 1.0, 2.0)]
    assert reached == [1, 25, 121]


def test_the_legacy_kernel_moves_a_step_by_half_a_pixel(step):
    for legacy, expected in ((False, 5.0), (True, 4.5)):
        update = step(sigma=1.2 if not legacy else 0.8, legacy_kernel=legacy)
        place = (update.sum(dim=0) / update.sum()) @ torch.arange(11.0)
        assert place.item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize('method', ['newton', 'newton_tv', 'sgd'])
@pytest.mark.parametrize('broken', [float('nan'), float('inf'), float('-inf')])
def test_what_is_not_finite_stays_so_and_other_samples_take_their_steps(method, broken):
    settings = SuperMixSettings(method=method)
    kernel = gaussian_kernel(1.0)
    gradients = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    losses = torch.tensor([1.0, 2.0, 3.0])
    sound = newton_step(losses, gradients, kernel, settings)
    damaged = gradients.clone()
    damaged[1, 0, 2, 1] = broken
    before = damaged.clone()
    found = newton_step(losses, damaged, kernel, settings)
    torch.testing.assert_close(damaged, before, equal_nan=True)
    assert torch.equal(found[::2], sound[::2])
    assert not found[1].isfinite().all()  # the solver refuses it in place of hiding it
