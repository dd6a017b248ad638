"""Hidden patches: how many, which, and what fills them."""

import pytest
import torch

from mmtmix.functional.occlusion import centre_order, hide_patches


@pytest.mark.parametrize('share', [0.0, 0.25, 0.5, 1.0])
def test_the_share_is_hidden_in_whole_patches(share):
    inputs = torch.rand(3, 2, 16, 24) + 1
    order = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    found = hide_patches(inputs, order, share)
    hidden = found == 0
    assert hidden.float().mean() == pytest.approx(share)
    for image in range(3):
        for row in range(4):
            for column in range(4):
                patch = hidden[image, :, 4 * row : 4 * row + 4, 6 * column : 6 * column + 6]
                first = sorted(order[image].flatten().tolist())[: round(16 * share)]
                assert bool(patch.all()) == (order[image, row, column].item() in first)
                assert patch.all() or not patch.any()
    assert torch.equal(found[~hidden], inputs[~hidden])


def test_a_fill_and_a_side_that_the_grid_does_not_divide():
    found = hide_patches(torch.ones(1, 1, 7, 7), torch.arange(9.0).view(1, 3, 3), 1 / 9, -2)
    assert found[0, 0, 0, 0] == -2 and found[0, 0, -1, -1] == 1


def test_the_centre_comes_first():
    order = centre_order(4)
    assert torch.equal(order, order.T) and torch.equal(order, order.flip(0))
    assert order[1, 1] < order[0, 1] < order[0, 0]


def test_a_grid_finer_than_pixels_and_a_wrong_share_are_refused():
    with pytest.raises(ValueError, match='grid must be at most'):
        hide_patches(torch.ones(1, 1, 4, 4), torch.rand(1, 8, 8), 0.5)
    with pytest.raises(ValueError, match='share'):
        hide_patches(torch.ones(1, 1, 8, 8), torch.rand(1, 8, 8), 1.5)
