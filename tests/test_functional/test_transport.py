"""PuzzleMix's transport, against the paper's algorithm cell by cell."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from mmtmix.functional import move_cells, move_costs, transport_plan, upsample_cells

pytestmark = pytest.mark.host


def paper_plan(saliency, shown, eps, rounds):
    """Algorithm 1 for one image: rows ask for columns, and losers pay."""
    rows, columns = saliency.shape
    cells = list(itertools.product(range(rows), range(columns)))
    cost = [[0.0] * len(cells) for _ in cells]
    for i, j in itertools.product(range(len(cells)), repeat=2):
        (y, x), (v, u) = cells[i], cells[j]
        distance = (y - v) ** 2 / max(rows - 1, 1) ** 2 + (x - u) ** 2 / max(columns - 1, 1) ** 2
        cost[i][j] = eps * distance - float(saliency[y, x]) * bool(shown[v, u])
    for _ in range(rounds):
        asked = [min(range(len(cells)), key=row.__getitem__) for row in cost]
        winners = {}
        for j in set(asked):
            best = min((i for i in range(len(cells)) if asked[i] == j), key=lambda i: cost[i][j])
            if cost[best][j] < 0:
                winners[j] = best
        for i, j in enumerate(asked):
            if winners.get(j) != i:
                cost[i][j] += 1
    return [winners.get(j, j) for j in range(len(cells))]


@pytest.mark.parametrize('cells', [(4, 4), (3, 5), (1, 6), (1, 1)])
@pytest.mark.parametrize('eps', [0.0, 0.1, 0.8])
@pytest.mark.parametrize('rounds', [1, 5])
def test_the_plan_is_that_of_the_papers_rounds(cells, eps, rounds):
    generator = torch.Generator().manual_seed(2)
    saliency = torch.rand(6, *cells, generator=generator, dtype=torch.float64) ** 3
    saliency /= saliency.sum(dim=(1, 2), keepdim=True)
    shown = torch.rand(6, *cells, generator=generator) < 0.5
    plan = transport_plan(saliency, shown, eps, rounds)
    for n in range(6):
        assert plan[n].tolist() == paper_plan(saliency[n], shown[n], eps, rounds)


def test_the_first_of_equal_cells_wins():
    saliency = torch.full((2, 3, 3), 1 / 9)
    shown = torch.zeros(2, 3, 3, dtype=torch.bool)
    shown[0, 1, 1] = shown[1, 0, 2] = True
    plan = transport_plan(saliency, shown, 0.1, 3)
    # staying costs less than coming from elsewhere
    assert torch.equal(plan, torch.arange(9).expand(2, 9))
    saliency[0, 1, 1] = 0
    plan = transport_plan(saliency, shown, 0.1, 3)
    assert plan[0, 4] == 1  # of its four neighbours the first


def test_salient_cells_come_into_the_mask_and_each_is_shown_once():
    saliency = torch.zeros(1, 4, 4)
    saliency[0, 0, 0], saliency[0, 0, 1] = 0.7, 0.3
    shown = torch.zeros(1, 4, 4, dtype=torch.bool)
    shown[0, 1] = True
    plan = transport_plan(saliency, shown, 0.8, 4)[0]
    assert plan.view(4, 4)[1].tolist() == [0, 1, 6, 7]
    assert plan.view(4, 4)[0].tolist() == [0, 1, 2, 3]


def test_distance_counts_each_side_as_one():
    costs = move_costs((3, 5))
    assert costs.shape == (15, 15)
    assert costs[0, 14] == 2
    assert costs[0, 1] == pytest.approx(1 / 16)
    assert costs[0, 5] == pytest.approx(1 / 4)


def test_cells_are_moved_whole():
    images = torch.rand(3, 2, 8, 6)
    index = torch.tensor([[0, 1], [2, 0]])
    plan = torch.randint(0, 6, (2, 2, 6), generator=torch.Generator().manual_seed(0))
    moved = move_cells(images, index, plan, (2, 3))
    assert moved.shape == (2, 2, 2, 8, 6)
    for m, i, j in itertools.product(range(2), range(2), range(6)):
        (y, x), (v, u) = divmod(j, 3), divmod(int(plan[m, i, j]), 3)
        expected = images[index[m, i], :, 4 * v : 4 * v + 4, 2 * u : 2 * u + 2]
        assert torch.equal(moved[m, i, :, 4 * y : 4 * y + 4, 2 * x : 2 * x + 2], expected)


@pytest.mark.parametrize('size', [(8, 6), (7, 10), (5, 3), (28, 17)])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.float16])
def test_cells_that_stay_change_nothing_at_any_size(size, dtype):
    images = torch.rand(2, 1, *size).to(dtype)
    cells = (4, 3)
    stay = torch.arange(12).expand(2, 2, 12)
    moved = move_cells(images, torch.tensor([[0, 1], [1, 0]]), stay, cells)
    assert torch.equal(moved[:, 0], images)
    assert torch.equal(moved[:, 1], images.flip(0))
    assert moved.data_ptr() != images.data_ptr()


def test_cells_of_unequal_size_start_where_they_start():
    images = torch.arange(10.0).view(1, 1, 1, 10)  # cells of 4, 3 and 3 pixels
    plan = torch.tensor([[[1, 0, 2]]])
    moved = move_cells(images, torch.tensor([[0]]), plan, (1, 3))
    assert moved.flatten().tolist() == [4, 5, 6, 7, 0, 1, 2, 7, 8, 9]
    plan = torch.tensor([[[2, 1, 1]]])
    moved = move_cells(images, torch.tensor([[0]]), plan, (1, 3))
    assert moved.flatten().tolist() == [7, 8, 9, 9, 4, 5, 6, 4, 5, 6]


@pytest.mark.parametrize('size', [(8, 12), (7, 5), (32, 18)])
def test_upsampling_is_the_nearest(size):
    values = torch.rand(2, 3, 4, 3)
    assert torch.equal(upsample_cells(values, size), F.interpolate(values, size))
