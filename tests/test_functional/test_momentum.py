"""The schedule of a momentum encoder."""

import pytest

from mmtmix.functional import cosine_momentum


@pytest.mark.parametrize(
    ('progress', 'expected'), [(0, 0.99), (1 / 3, 0.9925), (0.5, 0.995), (2 / 3, 0.9975), (1, 1.0)]
)
def test_it_rises_along_half_a_cosine(progress, expected):
    assert cosine_momentum(progress, 0.99) == pytest.approx(expected, abs=1e-9)


def test_it_may_end_below_one():
    assert cosine_momentum(1, 0.999, 0.999999) == pytest.approx(0.999999)
    assert cosine_momentum(0.4, 0.9, 0.9) == pytest.approx(0.9)
