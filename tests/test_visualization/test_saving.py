"""mmtmix.visualization.grid: writing figures."""

import pytest
from matplotlib.figure import Figure

from mmtmix.visualization import save_figure


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
