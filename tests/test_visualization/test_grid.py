"""mmtmix.visualization.grid."""

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mmtmix.visualization import save_figure
from mmtmix.visualization.grid import Group, image_grid


@pytest.mark.parametrize('aspect', [0.5, 1, 3])
def test_cells_have_their_form_and_do_not_meet(aspect):
    columns = [Group(['1', '2'], 'Input'), Group([''], 'Mix')]
    figure, axes = image_grid(columns, [Group(['a']), Group(['b', 'c'])], aspect, cell=0.5)
    assert axes.shape == (3, 3) and figure.axes == axes.ravel().tolist()
    boxes = [cell.get_window_extent() for cell in figure.axes]
    for i, box in enumerate(boxes):
        assert box.height / box.width == pytest.approx(aspect)
        assert min(box.width, box.height) >= 0.5 * figure.dpi * 0.999
        assert not any(box.overlaps(other) for other in boxes[:i])
    # groups lie further apart than what is in one
    assert boxes[2].x0 - boxes[1].x1 > boxes[1].x0 - boxes[0].x1
    assert boxes[0].y0 - boxes[3].y1 > boxes[3].y0 - boxes[6].y1


def test_rows_are_as_high_as_their_labels(assert_readable):
    labels = ['\n'.join(map(str, range(12)))] * 2
    figure, _ = image_grid([Group(['x'])], [Group(labels)], aspect=1)
    assert_readable(figure)


def test_titles_of_rows_stand_left_of_them_in_their_middle(assert_readable):
    rows = [Group(['a', 'a longer\nlabel'], 'k = 2'), Group(['b'], 'k = 10')]
    figure, axes = image_grid([Group(['x'])], rows, aspect=1)
    found = {text.get_text(): text for text in figure.texts}
    boxes = [cell.get_position() for cell in axes[:, 0]]
    assert found['k = 2'].get_position()[1] == pytest.approx((boxes[0].y1 + boxes[1].y0) / 2)
    assert found['k = 10'].get_position()[1] == pytest.approx((boxes[2].y0 + boxes[2].y1) / 2)
    assert found['k = 2'].get_position()[0] < found['a'].get_position()[0] < boxes[0].x0
    assert_readable(figure)


def test_nothing_is_kept_of_a_figure_that_is_dropped():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    figure, _ = image_grid([Group(['x'])], [Group(['y'])], aspect=1)
    FigureCanvasAgg(figure).draw()
    assert plt.get_fignums() == before


@pytest.mark.parametrize(('name', 'start'), [('a.png', b'\x89PNG'), ('b.pdf', b'%PDF')])
def test_suffix_gives_the_format_and_folders_are_made(tmp_path, name, start):
    save_figure(Figure(figsize=(1, 1)), tmp_path / 'new' / name)
    assert (tmp_path / 'new' / name).read_bytes().startswith(start)
    assert len(list((tmp_path / 'new').iterdir())) == 1


@pytest.mark.parametrize('name', ['picture', 'picture.txt'])
def test_unknown_format_is_named_and_nothing_is_written(tmp_path, name):
    with pytest.raises(ValueError, match=rf'{name}.*\.png'):
        save_figure(Figure(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_failure_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'picture.png'
    path.write_bytes(b'old')
    figure = Figure()
    monkeypatch.setattr(figure, 'savefig', lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_figure(figure, path)
    assert path.read_bytes() == b'old' and len(list(tmp_path.iterdir())) == 1
