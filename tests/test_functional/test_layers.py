"""Images laid over one another."""

import pytest
import torch

from mmtmix.functional import draw_weights, layer_masks, layer_shares


@pytest.mark.parametrize('num_mix', [2, 3, 4])
def test_masks_are_those_of_pasting_one_after_another(num_mix):
    covers = torch.rand(5, num_mix - 1, 4, 6)
    expected = torch.zeros(5, num_mix, 4, 6)
    expected[:, 0] = 1
    for i in range(1, num_mix):
        cover = covers[:, i - 1]
        expected *= (1 - cover)[:, None]
        expected[:, i] = cover
    masks = layer_masks(covers)
    assert masks.shape == (5, num_mix, 1, 4, 6)
    torch.testing.assert_close(masks[:, :, 0], expected)
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(5, 1, 4, 6))


def test_hard_covers_give_one_hot_masks():
    masks = layer_masks((torch.rand(5, 3, 8, 8) > 0.5).float())
    assert set(masks.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(masks.sum(dim=1), torch.ones(5, 1, 8, 8))


@pytest.mark.parametrize('num_mix', [2, 3, 4])
def test_covering_by_the_shares_leaves_the_weights(num_mix):
    weights = draw_weights(16, num_mix, 1.0, torch.Generator().manual_seed(0))
    before = weights.clone()
    shares = layer_shares(weights)
    masks = layer_masks(shares[..., None, None].expand(-1, -1, 3, 3))
    torch.testing.assert_close(masks.mean(dim=(2, 3, 4)), weights)
    assert torch.equal(weights, before)


def test_no_weight_below_means_the_whole_picture():
    weights = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    assert layer_shares(weights).tolist() == [[1, 0], [0, 1], [0, 0]]
