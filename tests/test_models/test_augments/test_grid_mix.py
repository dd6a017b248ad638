"""GridMix: whole cells, as many as the weights say."""

import pytest
import torch

from mmtmix.models import GridMix
from mmtmix.models.augments import batch_augment

pytestmark = pytest.mark.host


@pytest.mark.parametrize(
    ('grid_size', 'shape'), [(4, (3, 16, 16)), (3, (1, 12, 20)), (8, (1, 9, 8))]
)
@pytest.mark.parametrize('num_mix', [2, 3])
def test_each_cell_is_one_images(make_batch, monkeypatch, grid_size, shape, num_mix):
    weights = []
    draw = batch_augment.draw_weights
    monkeypatch.setattr(
        batch_augment, 'draw_weights', lambda *args: weights.append(draw(*args)) or weights[-1]
    )
    inputs, scores = make_batch(8, shape)
    torch.manual_seed(0)
    mixer = GridMix(num_mix, grid_size=grid_size)
    mixed, _, details = mixer(inputs, scores, return_details=True)
    _, height, width = shape
    for n in range(8):
        cells = {}
        for row in range(height):
            for column in range(width):
                cell = row * grid_size // height, column * grid_size // width
                owner = int(details['masks'][n, :, 0, row, column].argmax())
                cells.setdefault(cell, set()).add(owner)
                partner = details['index'][n, owner]
                assert torch.equal(mixed[n, :, row, column], inputs[partner, :, row, column])
        assert len(cells) == grid_size**2
        assert all(len(owners) == 1 for owners in cells.values())
        ends = (weights[0][n].cumsum(0) * grid_size**2).round().int().tolist()
        counts = [sum(owners == {i} for owners in cells.values()) for i in range(num_mix)]
        assert counts == [end - start for start, end in zip([0, *ends], ends, strict=False)]


def test_every_cell_is_equally_likely(make_batch):
    inputs, scores = make_batch(8, (1, 4, 4))
    inputs, scores = inputs.repeat(250, 1, 1, 1), scores.repeat(250, 1)
    torch.manual_seed(0)
    _, _, details = GridMix(alpha=1e4)(inputs, scores, return_details=True)
    frequency = details['masks'][:, 0, 0].mean(dim=0)
    torch.testing.assert_close(frequency, torch.full((4, 4), 0.5), atol=0.05, rtol=0)


@pytest.mark.parametrize('grid_size', [1, 2.5, None])
def test_a_bad_grid_is_refused(grid_size):
    with pytest.raises((TypeError, ValueError), match='grid_size must be an integer >= 2'):
        GridMix(grid_size=grid_size)


def test_images_smaller_than_the_grid_are_refused(make_batch):
    with pytest.raises(ValueError, match='use a smaller grid_size'):
        GridMix(grid_size=17)(*make_batch())
