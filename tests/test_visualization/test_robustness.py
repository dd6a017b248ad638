"""mmtmix.visualization.robustness: labels that stay readable, axes in whole images."""

import numpy as np
import pytest

from mmtmix.visualization import draw_pictures, draw_reliability


def test_long_names_are_wrapped_beside_their_pictures(assert_readable):
    name = '174.a very long name of a class which never ends, Passeriformes'
    rows = [f'{name} > {name}', 'jay', ' > '.join([name] * 4)]
    figure = draw_pictures([[np.zeros((8, 8, 3))]] * 3, rows, ['clean'])
    figure.set_dpi(200)  # as files have; at 100, hinting makes letters wider
    assert_readable(figure)
    labels = [text.get_text() for text in figure.texts]
    assert max(len(line) for label in labels for line in label.split('\n')) <= 28
    assert any(label.endswith('...') and label.count('\n') == 4 for label in labels)
    assert 'jay' in labels


@pytest.mark.parametrize('count', [[1, 0], [2, 3], [1000, 37]])
def test_images_of_a_reliability_diagram_are_whole(count):
    empty = np.where(np.array(count) > 0, 0.6, np.nan)
    edges = np.array([0.0, 0.5, 1.0])
    figure = draw_reliability(edges, np.array(count, float), empty, empty, 'title')
    figure.canvas.draw()
    ticks = figure.axes[1].get_yticks()
    assert len(ticks) >= 2 and (ticks == np.rint(ticks)).all()
