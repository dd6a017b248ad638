"""Figures of an evaluation."""

import numpy as np
import pytest

from mmtmix.visualization import draw_reliability


@pytest.mark.parametrize('count', [[1, 0], [2, 3], [1000, 37]])
def test_images_of_a_reliability_diagram_are_whole(count):
    empty = np.where(np.array(count) > 0, 0.6, np.nan)
    edges = np.array([0.0, 0.5, 1.0])
    figure = draw_reliability(edges, np.array(count, float), empty, empty, 'title')
    figure.canvas.draw()
    ticks = figure.axes[1].get_yticks()
    assert len(ticks) >= 2 and (ticks == np.rint(ticks)).all()
