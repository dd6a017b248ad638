"""What an experiments file may say."""

from pathlib import Path

import pytest

from mmtmix.apps.reproduce import choose_cells, read_experiments

pytestmark = pytest.mark.host

TEXT = """
paper/1/row:
  checkpoint: median
  cells:
    simple: {printed: [78.86, 93.67], config: configs/simple/a.py}
    mixup: {printed: 81.7, config: configs/mixup/a.py, options: {alpha: 2, x.y: [1, 2]}, variants: {PAIR: 3}}
    curve: {printed: null, config: configs/simple/a.py, checkpoint: best}
    time: {printed: 0.163, quoted: a time on an RTX 3090}
paper/10/row:
  cells:
    simple: {printed: 1, config: configs/simple/b.py}
"""  # noqa: E501


@pytest.fixture
def cells(tmp_path):
    def read(text=TEXT):
        path = tmp_path / 'experiments.yaml'
        path.write_text(text)
        return read_experiments(path)

    return read


def test_cells_come_in_order_with_what_they_say(cells):
    found = cells()
    assert list(found)[:2] == ['paper/1/row/simple', 'paper/1/row/mixup']
    simple, mixup, curve, time, last = found.values()
    assert (simple.printed, simple.config, simple.checkpoint) == (
        (78.86, 93.67),
        'configs/simple/a.py',
        'median',
    )
    assert (mixup.printed, mixup.options, mixup.variants) == (
        (81.7,),
        {'alpha': 2, 'x.y': [1, 2]},
        {'PAIR': '3'},
    )
    assert (curve.printed, curve.checkpoint) == ((), 'best')
    assert (time.quoted, time.config) == ('a time on an RTX 3090', '')
    assert (last.checkpoint, last.table) == ('last', 'paper/10')


def test_a_row_says_what_it_is_compared_with(cells):
    text = 'a/1/r: {against: [x, 20], cells: {x: {config: a}, 20: {config: b}}}'
    found = cells(text)
    assert {cell.against for cell in found.values()} == {('x', '20')}
    assert [(cell.row, cell.column) for cell in found.values()] == [
        ('a/1/r', 'x'),
        ('a/1/r', '20'),
    ]
    assert {cell.against for cell in cells().values()} == {()}


def test_a_row_names_its_oracle(cells):
    row = 'a/1/r: {against: [x], oracle: %s, cells: {x: {config: a}, y: {config: b}}}'
    assert {cell.oracle for cell in cells(row % 'y').values()} == {'y'}
    assert {cell.oracle for cell in cells().values()} == {''}
    for wrong in ('x', 'z'):
        with pytest.raises(ValueError, match=f'oracle of a/1/r .* another one; got {wrong!r}'):
            cells(row % wrong)
    with pytest.raises(ValueError, match='oracle of a/1/r in .* must be a column of the row'):
        cells((row % 'y').replace('against: [x], ', ''))


def test_a_row_says_what_counts(cells):
    found = cells('a/1/r: {metrics: [mix/ce], cells: {x: {config: a}}}')
    assert [cell.metrics for cell in found.values()] == [('mix/ce',)]
    assert {cell.metrics for cell in cells().values()} == {('accuracy/top1', 'accuracy/top5')}


@pytest.mark.parametrize(
    ('wanted', 'number'),
    [
        (['paper/1'], 4),  # not paper/10
        (['*/*/*/mixup'], 1),
        (['*/1'], 4),
        (['paper'], 5),
        (['*'], 5),
        (['paper/1/row/simple', '*/*/*/simple'], 2),
    ],
)
def test_cells_are_chosen_by_id_by_what_it_begins_with_and_by_pattern(cells, wanted, number):
    assert len(choose_cells(cells(), wanted)) == number


def test_a_typo_names_what_is_alike(cells):
    with pytest.raises(
        ValueError, match="no cell 'paper/1/row/simpel'; did you mean paper/1/row/s"
    ):
        choose_cells(cells(), ['paper/1/row/simpel'])


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('a: [', 'is no valid YAML'),
        ('- a', 'must hold a mapping of paper/table/row'),
        ('', 'must hold a mapping of paper/table/row, got None'),
        ('a/1/r: {cells: null}', "a/1/r in .* must hold .* got {'cells': None}"),
        ('a/1/r: {cells: {x: {config: a, variants: b}}}', 'variants of a/1/r/x in .* is no Map'),
        ('a/1/r: {cells: {x: {config: a, options: null}}}', 'options of a/1/r/x in .* is no Map'),
        ('a/1/r: {cells: {x: {config: a, printed: b}}}', 'printed of a/1/r/x in .* must be num'),
        ('a/1/r: {cells: {x: {config: a, quoted: b}}}', 'a/1/r/x in .* needs either a config or'),
        ('a/1/r: {cells: {x: {printed: 1}}}', 'a/1/r/x in .* needs either a config or'),
        (
            'a/1/r: {cells: {x: {confg: a}}}',
            "a/1/r/x in .* must hold some of .* got {'confg': 'a'}",
        ),
        ('a/1/r: {cels: {}}', "a/1/r in .* must hold .* got {'cels': {}}"),
        (
            'a/1/r: {against: [y], cells: {x: {config: a}}}',
            r"against of a/1/r in .* must list columns of the row, some of \['x'\], got \['y'\]",
        ),
        ('a/1/r: {against: x, cells: {x: {config: a}}}', "against of a/1/r in .* got 'x'"),
        ('a/1/r: {seeds: [0, -1], cells: {x: {config: a}}}', r'seeds of a/1/r in .*\[0, -1\]'),
        ('a/1/r: {seeds: 5, cells: {x: {config: a}}}', 'seeds of a/1/r in .* got 5'),
        ('a/1/r: {against: [[x]], cells: {x: {config: a}}}', 'against of a/1/r in .* must list'),
        (
            'a/1/r: {against: [x], cells: {x: {config: a}, y: {config: a, checkpoint: best}}}',
            'a/1/r in .* compares its cells, so they must share a checkpoint',
        ),
        ('a/1/r: {metrics: loss, cells: {x: {config: a}}}', "metrics of a/1/r in .* got 'loss'"),
        ('a/1/r: {metrics: [], cells: {x: {config: a}}}', r'metrics of a/1/r in .* got \[\]'),
        (
            'a/1/r: {metrics: [m], against: [x], cells: {x: {config: a}}}',
            r"a/1/r in .* has metrics of its own, \['m'\], so its cells can neither",
        ),
        (
            'a/1/r: {metrics: [m], cells: {x: {config: a, printed: 80}}}',
            r"a/1/r in .* has metrics of its own, \['m'\], so its cells can neither",
        ),
        (
            'a/1/r: {metrics: [m], checkpoint: best, cells: {x: {config: a}}}',
            'checkpoint of a/1/r/x in .* cannot be best',
        ),
        (
            'a/1/r: {checkpoint: first, cells: {x: {config: a}}}',
            "checkpoint of a/1/r/x in .* got 'first'",
        ),
    ],
)
def test_malformed_entries_are_named(cells, text, said):
    with pytest.raises(ValueError, match=said):
        cells(text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.yaml'):
        read_experiments(tmp_path / 'none.yaml')


def test_the_shipped_files_name_configs_that_are_there():
    root = Path(__file__).resolve().parents[3]
    files = sorted(root.glob('configs/experiments*.yaml'))
    assert len(files) == 5
    for file in files:
        configs = {cell.config for cell in read_experiments(file).values()} - {''}
        assert all((root / config).is_file() for config in configs)
