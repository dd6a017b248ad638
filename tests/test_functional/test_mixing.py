"""Weights, partners, blends and targets, against loops and known moments."""

from functools import partial

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mmtmix.functional import (
    blend,
    blend_batch,
    draw_distinct_index,
    draw_index,
    draw_weights,
    mix_targets,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize('num_mix', [2, 3, 4])
@pytest.mark.parametrize('alpha', [0.01, 1.0, 50.0])
def test_weights_are_rows_on_the_simplex(num_mix, alpha):
    weights = draw_weights(64, num_mix, alpha, seeded())
    assert weights.shape == (64, num_mix)
    assert weights.dtype == torch.float32
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(64))


@pytest.mark.parametrize(('num_mix', 'alpha'), [(2, 0.2), (2, 1.0), (2, 5.0), (3, 1.0), (4, 3.0)])
def test_weights_have_the_moments_of_the_dirichlet_distribution(num_mix, alpha):
    weights = draw_weights(50_000, num_mix, alpha, seeded()).double()
    spread = num_mix**2 * (num_mix * alpha + 1)
    covariance = torch.full((num_mix, num_mix), -1 / spread, dtype=torch.double)
    covariance.fill_diagonal_((num_mix - 1) / spread)
    mean = torch.full((num_mix,), 1 / num_mix, dtype=torch.double)
    torch.testing.assert_close(weights.mean(dim=0), mean, atol=6e-3, rtol=0)
    torch.testing.assert_close(torch.cov(weights.T), covariance, atol=0, rtol=0.05)


@pytest.mark.parametrize('alpha', [0.01, 0.05])
def test_a_tiny_alpha_gives_one_image_nearly_everything(alpha):
    weights = draw_weights(10_000, 3, alpha, seeded())
    assert torch.isfinite(weights).all()
    assert weights.amax(dim=1).median() > 0.99
    for share in (weights.argmax(dim=1).bincount(minlength=3) / 10_000).tolist():
        assert share == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize(
    'draw',
    [
        partial(draw_weights, 8, 3, 1.0),
        partial(draw_index, 8, 3),
        partial(draw_distinct_index, torch.arange(8) % 4, 3),
    ],
)
def test_a_generator_reproduces_its_draws_and_leaves_torchs_own_alone(draw):
    before = torch.get_rng_state()
    assert torch.equal(draw(seeded(7)), draw(seeded(7)))
    assert not torch.equal(draw(seeded(7)), draw(seeded(8)))
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_generator_torchs_seed_decides():
    torch.manual_seed(3)
    first = draw_weights(8, 2, 1.0), draw_index(8, 2)
    torch.manual_seed(3)
    second = draw_weights(8, 2, 1.0), draw_index(8, 2)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize('alpha', [0, -1.0, float('nan')])
def test_an_alpha_that_is_not_positive_is_refused(alpha):
    with pytest.raises(ValueError, match='alpha must be a finite number > 0'):
        draw_weights(4, 2, alpha)


def test_fewer_than_two_images_a_mix_are_refused():
    with pytest.raises(ValueError, match='num_mix must be an integer >= 2, got 1'):
        draw_weights(4, 1, 1.0)


@pytest.mark.parametrize(('num_samples', 'num_mix'), [(2, 2), (3, 3), (4, 4), (7, 2), (16, 3)])
def test_own_image_is_first_and_no_image_meets_itself(num_samples, num_mix):
    for seed in range(20):
        index = draw_index(num_samples, num_mix, seeded(seed))
        assert index.dtype == torch.int64
        assert index[:, 0].tolist() == list(range(num_samples))
        assert all(len(set(row)) == num_mix for row in index.tolist())


@pytest.mark.parametrize('num_mix', [2, 3, 4])
def test_every_image_is_used_as_often_as_there_are_images_a_mix(num_mix):
    for num_samples in (num_mix, 9):
        index = draw_index(num_samples, num_mix, seeded())
        assert index.flatten().bincount().tolist() == [num_mix] * num_samples


def test_partners_follow_one_cycle_through_the_batch():
    index = draw_index(11, 4, seeded())
    follower = dict(index[:, :2].tolist())
    place, seen = 0, []
    for _ in range(11):
        seen.append(place)
        place = follower[place]
    assert place == 0
    assert sorted(seen) == list(range(11))
    for own, *partners in index.tolist():
        for partner in partners:
            own = follower[own]
            assert partner == own


def test_every_other_image_is_an_equally_likely_partner():
    generator = seeded()
    partners = torch.stack([draw_index(5, 2, generator)[0, 1] for _ in range(4000)])
    shares = partners.bincount(minlength=5) / 4000
    torch.testing.assert_close(shares, torch.tensor([0.0] + [0.25] * 4), atol=0.03, rtol=0)


@pytest.mark.parametrize('num_mix', [2, 3])
def test_partners_are_of_other_classes_where_a_draw_has_them(num_mix):
    classes = torch.arange(16) % 4
    repeats = 0
    for seed in range(10):
        index = draw_distinct_index(classes, num_mix, seeded(seed))
        assert index.dtype == torch.int64
        assert index[:, 0].tolist() == list(range(16))
        assert all(len(set(row)) == num_mix for row in index.tolist())
        named = classes[draw_index(16, num_mix, seeded(seed))].tolist()
        repeats += sum(len(set(row)) < num_mix for row in named)
        assert all(len(set(row)) == num_mix for row in classes[index].tolist())
    assert repeats > 10  # that is, a single draw would not do


def test_each_sample_takes_its_first_draw_of_different_classes():
    classes = torch.tensor([0, 0, 0, 1, 1, 2])
    generator = seeded(3)
    draws = [draw_index(6, 3, generator).tolist() for _ in range(5)]
    taken = []
    for sample in range(6):
        rows = [draw[sample] for draw in draws]
        fits = [row for row in rows if len({classes[i].item() for i in row}) == 3]
        taken.append((fits or rows)[0])
    index = draw_distinct_index(classes, 3, seeded(3), tries=5)
    assert index.tolist() == taken
    assert taken not in draws


@pytest.mark.parametrize('classes', [[0] * 6, [0, 0, 0, 1, 1, 1]])
def test_samples_without_different_partners_keep_the_first_draw(classes):
    index = draw_distinct_index(torch.tensor(classes), 3, seeded())
    assert torch.equal(index, draw_index(6, 3, seeded()))


def test_a_batch_smaller_than_a_mix_has_no_index():
    for draw in (partial(draw_index, 2), partial(draw_distinct_index, torch.arange(2))):
        with pytest.raises(ValueError, match='batch of 2 has no 3 different images'):
            draw(3)


def test_blend_is_the_sum_of_masked_images():
    images, masks = torch.rand(3, 4, 2, 5, 6), torch.rand(3, 4, 1, 5, 6)
    expected = torch.zeros(3, 2, 5, 6)
    for n in range(3):
        for i in range(4):
            for c in range(2):
                expected[n, c] += masks[n, i, 0] * images[n, i, c]
    torch.testing.assert_close(blend(images, masks), expected)


def test_blend_with_a_number_an_image_is_mixup():
    images = torch.rand(3, 2, 1, 4, 4)
    lam = torch.tensor([0.0, 0.3, 1.0])
    weights = torch.stack([lam, 1 - lam], dim=1)
    expected = [share * a + (1 - share) * b for share, (a, b) in zip(lam, images, strict=True)]
    torch.testing.assert_close(
        blend(images, weights[..., None, None, None]), torch.stack(expected)
    )


@pytest.mark.parametrize('images', [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize('masks', [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize('autocast', [False, True])
def test_a_blend_is_of_the_wider_dtype(images, masks, autocast):
    pictures = torch.rand(3, 3, 2, 5, 6, dtype=torch.float64, generator=seeded()).to(images)
    shares = torch.rand(3, 3, 1, 5, 6, dtype=torch.float64, generator=seeded(1)).to(masks)
    with torch.autocast('cpu', torch.bfloat16, enabled=autocast):
        mixed = blend(pictures, shares)
    assert mixed.dtype == torch.promote_types(images, masks)
    expected = (shares.double() * pictures.double()).sum(dim=1)
    steps = 3 * torch.finfo(mixed.dtype).eps
    torch.testing.assert_close(mixed.double(), expected, atol=steps, rtol=steps)


def test_a_blend_needs_a_mask_an_image():
    with pytest.raises(ValueError, match=r'of the same k, got \(2, 3, 1, 4, 4\) and \(2, 1, 1'):
        blend(torch.rand(2, 3, 1, 4, 4), torch.rand(2, 1, 1, 4, 4))


def test_gradients_go_through_a_blend():
    images, masks = torch.rand(2, 3, 2, 3, 4), torch.rand(2, 3, 1, 3, 4)
    inputs = [part.double().requires_grad_() for part in (images, masks)]
    assert torch.autograd.gradcheck(blend, inputs)


def test_a_blend_holds_the_products_of_one_image_at_a_time():
    class Largest(TorchDispatchMode):
        numel = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor):
                self.numel = max(self.numel, out.numel())
            return out

    images, masks = torch.rand(2, 4, 3, 5, 6), torch.rand(2, 4, 1, 5, 6)
    with Largest() as largest:
        mixed = blend(images, masks)
    assert largest.numel == mixed.numel()


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_a_blend_of_a_batch_is_that_of_its_chosen_images(dtype):
    images, index = torch.rand(5, 2, 4, 3).to(dtype), draw_index(5, 3, seeded())
    masks = torch.rand(5, 3, 1, 4, 3)
    expected = blend(images[index], masks.to(dtype))
    found = blend_batch(images, index, masks)
    assert found.dtype == dtype and torch.equal(found, expected)


@pytest.mark.parametrize('num_mix', [2, 3, 4])
def test_targets_hold_exactly_the_mixed_classes(num_mix):
    labels = torch.eye(6)[torch.randperm(6, generator=seeded())]  # a class of its own for each
    weights, index = draw_weights(6, num_mix, 1.0, seeded()), draw_index(6, num_mix, seeded())
    targets = mix_targets(labels, weights, index)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(6))
    for row, partners in zip(targets, index, strict=True):
        mixed = set(labels[partners].argmax(dim=1).tolist())
        assert set(row.nonzero().flatten().tolist()) == mixed


def test_targets_are_the_weighted_scores():
    scores, weights = torch.rand(5, 7).softmax(dim=1), draw_weights(5, 3, 1.0, seeded())
    index = draw_index(5, 3, seeded())
    expected = torch.zeros(5, 7)
    for n in range(5):
        for i in range(3):
            expected[n] += weights[n, i] * scores[index[n, i]]
    torch.testing.assert_close(mix_targets(scores, weights, index), expected)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_targets_have_the_dtype_of_the_scores(dtype):
    scores = torch.eye(4, dtype=dtype)
    weights, index = draw_weights(4, 2, 1.0, seeded()), draw_index(4, 2, seeded())
    assert mix_targets(scores, weights, index).dtype == dtype


def test_autocast_does_not_round_the_targets():
    weights, index = draw_weights(4, 2, 1.0, seeded()), draw_index(4, 2, seeded())
    expected = mix_targets(torch.eye(4), weights, index)
    with torch.autocast('cpu', torch.bfloat16):
        targets = mix_targets(torch.eye(4), weights, index)
    assert targets.dtype == torch.float32
    assert torch.equal(targets, expected)


def test_arguments_are_not_written_to():
    images, masks, scores = torch.rand(4, 2, 3, 5, 5), torch.rand(4, 2, 1, 5, 5), torch.eye(4)
    weights, index = draw_weights(4, 2, 1.0), draw_index(4, 2)
    arguments = [images, masks, scores, weights, index]
    before = [tensor.clone() for tensor in arguments]
    blend(images, masks)
    mix_targets(scores, weights, index)
    assert all(torch.equal(a, b) for a, b in zip(arguments, before, strict=True))
