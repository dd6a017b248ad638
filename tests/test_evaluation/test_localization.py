"""Maps and boxes small enough to count by hand."""

import numpy as np
import pytest

from mmtmix.evaluation.localization import (
    best_iou,
    in_boxes,
    points_inside,
    saliency_box,
    share_inside,
)


def test_pixels_in_boxes():
    inside = in_boxes([[1, 0, 3, 2]], 3, 4)
    assert inside.astype(int).tolist() == [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    assert in_boxes([[0, 0, 1, 1], [3, 2, 4, 3]], 3, 4).sum() == 2
    assert in_boxes([[0.6, 0, 1.4, 1]], 1, 2).sum() == 0  # no centre of a pixel is inside


def test_pointing_and_share():
    saliency = np.array([[0.0, 0.2], [0.6, 0.2]])
    assert points_inside(saliency, in_boxes([[0, 1, 1, 2]], 2, 2))
    assert not points_inside(saliency, in_boxes([[1, 0, 2, 2]], 2, 2))
    assert share_inside(saliency, in_boxes([[1, 0, 2, 2]], 2, 2)) == pytest.approx(0.4)
    assert share_inside(np.zeros((2, 2)), in_boxes([[1, 0, 2, 2]], 2, 2)) == 0.5


def test_the_box_of_the_largest_part():
    saliency = np.zeros((6, 8))
    saliency[0, 0] = 1.0  # the maximum, but one pixel
    saliency[2:5, 3:7] = 0.5
    assert saliency_box(saliency, 0.2).tolist() == [3, 2, 7, 5]
    assert saliency_box(saliency, 0.6).tolist() == [0, 0, 1, 1]
    assert saliency_box(np.zeros((2, 3))).tolist() == [0, 0, 3, 2]  # nothing stands out
    with pytest.raises(ValueError, match='threshold'):
        saliency_box(saliency, 1.5)


def test_overlap():
    box = np.array([0.0, 0.0, 2.0, 2.0])
    assert best_iou(box, [[0, 0, 2, 2]]) == 1
    assert best_iou(box, [[5, 5, 6, 6], [1, 0, 3, 2]]) == pytest.approx(2 / 6)
    assert best_iou(box, [[5, 5, 6, 6]]) == 0
