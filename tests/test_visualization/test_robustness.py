"""mmtmix.visualization.robustness: labels that stay readable."""

import numpy as np

from mmtmix.visualization import draw_pictures


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
