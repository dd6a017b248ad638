"""PuzzleMix's energy, term by term."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F

from mmtmix.functional import (
    binomial_prior,
    edge_differences,
    grid_energy,
    pool_colours,
    pool_saliency,
    puzzle_terms,
)

pytestmark = pytest.mark.host

SETTINGS = dict(beta=1.2, gamma=0.5, eta=0.2)


def make_batch(cells=(2, 3), channels=3, neigh=2, num_images=4):
    generator = torch.Generator().manual_seed(1)
    saliency = torch.rand(num_images, 1, *cells, generator=generator)
    colours = torch.rand(num_images, channels, *(neigh * c for c in cells), generator=generator)
    return pool_saliency(saliency, cells), colours


def seen_difference(colours, shown, cell, other, neigh):
    """Mean difference along the edge of two cells, of the images that are shown there."""
    (y, x), (v, u) = cell, other
    total = 0.0
    for t in range(neigh):
        if v > y:
            first = colours[shown[0]][:, (y + 1) * neigh - 1, x * neigh + t]
            second = colours[shown[1]][:, v * neigh, u * neigh + t]
        else:
            first = colours[shown[0]][:, y * neigh + t, (x + 1) * neigh - 1]
            second = colours[shown[1]][:, v * neigh + t, u * neigh]
        total += float((first - second).abs().mean()) / neigh
    return total


def paper_energy(saliency, colours, pair, lam, z, neigh=2):
    """What two labels cost, in loops over cells and edges."""
    rows, columns = saliency.shape[1:]
    count = rows * columns
    scale = SETTINGS['beta'] / math.sqrt(count) / 16
    energy = 0.0
    for y, x in itertools.product(range(rows), range(columns)):
        lost = pair[1] if z[y][x] else pair[0]
        energy += float(saliency[lost][y, x])
        energy -= SETTINGS['eta'] / count * math.log((lam if z[y][x] else 1 - lam) + 1e-8)
        for v, u in ((y + 1, x), (y, x + 1)):
            if v < rows and u < columns:
                shown = [pair[0] if a else pair[1] for a in (z[y][x], z[v][u])]
                energy += scale * (z[y][x] != z[v][u])
                difference = seen_difference(colours, shown, (y, x), (v, u), neigh)
                energy += scale * SETTINGS['gamma'] * difference
    return energy


@pytest.mark.parametrize('channels', [1, 3])
def test_the_energy_of_two_labels_is_the_papers_but_for_a_constant(channels):
    saliency, colours = make_batch(channels=channels)
    index = torch.tensor([[0, 2], [3, 1]])
    terms = puzzle_terms(
        saliency, colours, index, torch.tensor([0.3, 0.9]), num_labels=2, **SETTINGS
    )
    for m, lam in enumerate([0.3, 0.9]):
        apart = []
        for flat in itertools.product((0, 1), repeat=6):
            z = [flat[:3], flat[3:]]
            ours = grid_energy(*(term[m : m + 1] for term in terms), torch.tensor([z]))
            apart.append(float(ours) - paper_energy(saliency, colours, index[m].tolist(), lam, z))
        assert max(apart) - min(apart) < 1e-6


def test_more_labels_lie_between_and_change_the_prior_alone():
    saliency, colours = make_batch()
    index, lam = torch.tensor([[0, 2], [3, 1]]), torch.tensor([0.3, 0.9])
    two = puzzle_terms(saliency, colours, index, lam, num_labels=2, **SETTINGS)
    four = puzzle_terms(saliency, colours, index, lam, num_labels=4, **SETTINGS)
    plain = two[0] - 0.2 / 6 * binomial_prior(lam, 2)[..., None, None]
    shares = torch.tensor([0, 1 / 3, 2 / 3, 1])[:, None, None]
    expected = (1 - shares) * plain[:, :1] + shares * plain[:, 1:]
    expected = expected + 0.2 / 6 * binomial_prior(lam, 4)[..., None, None]
    torch.testing.assert_close(four[0], expected)
    assert torch.equal(four[1], two[1])
    assert torch.equal(four[2], two[2])


def test_the_prior_is_the_binomial_distribution():
    lam = torch.tensor([0.0, 0.3, 1.0])
    for num_labels in (2, 3, 5):
        prior = binomial_prior(lam, num_labels)
        for n, share in enumerate(lam.tolist()):
            for label in range(num_labels):
                ways = math.comb(num_labels - 1, label)
                chance = ways * share**label * (1 - share) ** (num_labels - 1 - label)
                assert float(prior[n, label]) == pytest.approx(
                    -math.log(chance + 1e-8), rel=1e-4, abs=1e-6
                )


def test_weights_stay_above_zero_whatever_gamma_is():
    saliency, colours = make_batch()
    index = torch.tensor([[0, 2], [3, 1]])
    wild = puzzle_terms(saliency, 9 * colours, index, torch.rand(2), 1.2, 50.0, 0.2, 3)
    assert min(wild[1].min(), wild[2].min()) == 0


def test_saliency_is_the_share_of_each_cell_at_any_size():
    saliency = torch.rand(3, 1, 8, 12)
    pooled = pool_saliency(saliency, (2, 4))
    blocks = saliency.view(3, 2, 4, 4, 3).sum(dim=(2, 4))
    torch.testing.assert_close(pooled, blocks / blocks.sum(dim=(1, 2), keepdim=True))
    for cells in ((5, 7), (16, 16), (1, 1)):
        torch.testing.assert_close(pool_saliency(saliency, cells).sum(dim=(1, 2)), torch.ones(3))
    assert pool_saliency(saliency.half(), (2, 4)).dtype == torch.float32


def test_an_image_without_saliency_has_the_same_everywhere():
    saliency = torch.stack([torch.zeros(1, 6, 6), torch.full((1, 6, 6), 1e-30)])
    torch.testing.assert_close(pool_saliency(saliency, (2, 3)), torch.full((2, 2, 3), 1 / 6))


def test_saliency_that_is_not_finite_stays_visible_and_spoils_no_other_image():
    saliency = torch.rand(2, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    expected = pool_saliency(saliency, (2, 3))
    for value in (float('inf'), float('nan')):
        saliency[0, 0, 1, 1] = value
        pooled = pool_saliency(saliency, (2, 3))
        assert not pooled[0].isfinite().all()
        assert torch.equal(pooled[1], expected[1])


def test_colours_are_pooled_to_what_is_compared_at_published_sizes():
    images = torch.rand(2, 3, 32, 32)
    for blocks, neigh in ((2, 4), (4, 4), (8, 4), (16, 2)):
        expected = F.avg_pool2d(images, neigh)
        torch.testing.assert_close(pool_colours(images, (blocks, blocks), 4), expected)
    assert pool_colours(torch.rand(1, 1, 28, 20), (4, 4), 4).shape == (1, 1, 4, 4)
    assert pool_colours(torch.rand(1, 1, 28, 20), (2, 2), 4).shape == (1, 1, 6, 4)


def test_edges_of_a_single_row_of_cells():
    colours = torch.rand(1, 1, 2, 6)
    down, right = edge_differences(colours, colours, (1, 3))
    assert down.shape == (1, 0, 3)
    expected = (colours[..., 1::2][..., :2] - colours[..., 2::2]).abs().mean(dim=(1, 2))
    torch.testing.assert_close(right[:, 0], expected)
