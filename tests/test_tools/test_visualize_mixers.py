"""tools/visualize_mixers.py: all mixers on the same pairs."""

import re

import pytest
from mmengine.config import Config

pytestmark = pytest.mark.host


@pytest.fixture
def draw(tmp_path, load, fitted_teacher, monkeypatch):
    """Draw two pairs with a fitted teacher."""
    Config(fitted_teacher['config']).dump(tmp_path / 'teacher.py')
    monkeypatch.chdir(tmp_path)
    arguments = ['teacher.py', '--checkpoint', fitted_teacher['checkpoint'], '--num', '2']
    tool = load('visualize_mixers')
    return lambda *more: tool.main([*arguments, '--out', 'mixers.png', *more])


def test_every_mixer_has_a_column(draw, tmp_path, load):
    figure = draw('--device', 'cpu')
    names = [name for name in load('visualize_mixers').AUGMENTS if name != 'TransformMix']
    assert len(figure.axes) == 2 * (2 + len(names))
    assert set(names) <= {text.get_text() for text in figure.texts}
    assert (tmp_path / 'mixers.png').stat().st_size > 10_000


def test_chosen_methods_alone(draw):
    figure = draw('--methods', 'FMix', 'PuzzleMix', '--lam', '0.3')
    assert len(figure.axes) == 2 * 4
    assert any('λ₁ = 0.30' in text.get_text() for text in figure.texts)


@pytest.mark.parametrize(
    ('arguments', 'said'),
    [
        (('--lam', '1.5'), r'--lam must be in \[0, 1\], got 1.5'),
        (('--methods', 'TransformMix'), 'TransformMix needs --mixer'),
    ],
)
def test_bad_arguments_are_told(draw, capsys, arguments, said):
    with pytest.raises(SystemExit):
        draw(*arguments)
    assert re.search(said, capsys.readouterr().err)
