"""AutoMix's area loss and momentum, by hand."""

import pytest
import torch

from mmtmix.functional import cosine_momentum, mask_area_loss


@pytest.mark.parametrize(
    ('area', 'share', 'margin', 'expected'),
    [
        (0.75, 0.5, 0.1, 0.15),
        (0.25, 0.5, 0.1, 0.15),
        (0.25, 0.5, 0.0, 0.25),
        (0.5, 0.45, 0.1, 0),
    ],
)
def test_what_exceeds_the_margin_counts(area, share, margin, expected):
    own = torch.zeros(2, 4)
    own[:, : int(4 * area)] = 1  # of pixels that are all or nothing
    masks = torch.stack([own, 1 - own])[None, :, None]
    found = mask_area_loss(masks, torch.tensor([[share, 1 - share]]), margin)
    torch.testing.assert_close(found, torch.tensor([expected], dtype=torch.float32))


def test_each_mix_is_judged_by_its_own_share():
    masks = torch.full((3, 2, 1, 4, 6), 0.5, requires_grad=True)
    weights = torch.tensor([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]])
    found = mask_area_loss(masks, weights, 0.1)
    torch.testing.assert_close(found, torch.tensor([0, 0.3, 0.2]))
    found.sum().backward()
    assert not masks.grad[0].any()
    assert (masks.grad[1, 0] < 0).all() and (masks.grad[2, 0] > 0).all()


@pytest.mark.parametrize(
    ('progress', 'expected'), [(0, 0.99), (1 / 3, 0.9925), (0.5, 0.995), (2 / 3, 0.9975), (1, 1.0)]
)
def test_it_rises_along_half_a_cosine(progress, expected):
    assert cosine_momentum(progress, 0.99) == pytest.approx(expected, abs=1e-9)


def test_it_may_end_below_one():
    assert cosine_momentum(1, 0.999, 0.999999) == pytest.approx(0.999999)
    assert cosine_momentum(0.4, 0.9, 0.9) == pytest.approx(0.9)
