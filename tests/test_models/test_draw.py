"""Draws: own images that are in order, and subclasses that draw another order."""

from dataclasses import replace

import pytest
import torch

from mmtmix.models import Draw, SampleMixup
from mmtmix.models.draw import draw_mixes

pytestmark = pytest.mark.host


def test_an_order_that_does_not_hold_is_refused():
    draw = draw_mixes(4, 2, 1.0, torch.Generator().manual_seed(0), torch.device('cpu'))
    assert draw.in_order
    with pytest.raises(ValueError, match=r'in_order must be False .* got \[3, 2, 1, 0\]'):
        replace(draw, index=draw.index.flip(0))
    flipped = replace(draw, index=draw.index.flip(0), in_order=False)
    assert isinstance(flipped, Draw)


def test_a_subclass_may_draw_another_order():
    class Backwards(SampleMixup):
        def draw_index(self, scores, generator):
            return super().draw_index(scores, generator).flip(0)

    images, labels = torch.randn(6, 3, 8, 8), torch.arange(6)
    mixed, scores, details = Backwards(num_classes=6)(images, labels, return_details=True)
    assert details['index'][:, 0].tolist() == [5, 4, 3, 2, 1, 0]
    expected = (details['masks'] * images[details['index']]).sum(dim=1)
    torch.testing.assert_close(mixed, expected)
    assert torch.equal(
        scores.argmax(dim=1),
        details['index'].gather(1, details['weights'].argmax(dim=1, keepdim=True)).squeeze(1),
    )
