"""Blocks of a page, and what stands in them."""

import pytest

from mmtmix.apps.reproduce import CellResult, fill, find_blocks

pytestmark = pytest.mark.host

PAGE = """# A page

<!-- results: a/1/small a/1/large -->
old
<!-- end -->
Between.
  <!--plot: a/1-->
<!-- end -->

After.
"""


def test_blocks_are_found_and_filled_and_nothing_else_is_touched():
    blocks = find_blocks(PAGE)
    assert [(block.kind, block.name, block.text) for block in blocks] == [
        ('results', 'a/1/small a/1/large', 'old'),
        ('plot', 'a/1', ''),
    ]
    assert str(blocks[1]) == 'plot: a/1 (line 7)'
    assert fill(PAGE, {}) == PAGE
    filled = fill(PAGE, dict(zip(blocks, ['\nnew\nlines\n', '\npicture\n'], strict=True)))
    assert filled == PAGE.replace('old', '\nnew\nlines\n').replace(
        '<!--plot: a/1-->', '<!--plot: a/1-->\n\npicture\n'
    )
    assert [block.text for block in find_blocks(filled)] == ['\nnew\nlines\n', '\npicture\n']


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('<!-- results: a -->\nx', 'the block of line 1, <!-- results: a -->, is not closed by'),
        ('\n<!-- plot: a -->\n<!-- results: b -->\n<!-- end -->', 'line 2, <!-- plot: a -->, is'),
        ('x\n<!-- end -->', 'line 2 ends a block, but none is open'),
        ('<!-- result: a -->\n<!-- end -->', 'line 2 ends a block, but none is open'),
    ],
)
def test_a_block_has_a_beginning_and_an_end(text, said):
    with pytest.raises(ValueError, match=said):
        find_blocks(text)


def test_a_block_names_cells_that_are_there(cell):
    names = ('a/1/small/x', 'a/1/large/x', 'a/2/small/x')
    cells = {name: cell(name) for name in names}
    tables, plot = find_blocks(PAGE)
    assert [each.id for each in tables.cells(cells)] == list(names[:2])
    assert [each.id for each in plot.cells(cells)] == list(names[:2])
    for text, said in (
        ('results: a/1/smal', r"results: a/1/smal \(line 1\): there is no cell 'a/1/smal'; did"),
        ('plot: a', r'plot: a \(line 1\): a plot is of one table, such as a/1'),
        ('plot: a/1/small', r'a plot is of one table, such as a/1'),
    ):
        (block,) = find_blocks(f'<!-- {text} -->\n<!-- end -->')
        with pytest.raises(ValueError, match=said):
            block.cells(cells)


def test_tables_stand_without_headings_and_pictures_are_linked(cell, record):
    tables, plot = find_blocks(PAGE)
    one = cell('a/1/small/x')
    results = [CellResult(one, [record(one, 0, 80.0)])]
    text = tables.write(results, 'images', 'page_')
    assert text.startswith('\n| cell |')
    assert text.endswith(' |\n')
    assert '80.00' in text
    assert '](images/page_a_1.png)' in plot.write(results, 'images', 'page_')
    assert plot.write([CellResult(one)], 'images', 'page_') == '\nNothing of a/1 was run yet.\n'


def test_a_forest_plot_is_of_a_table_and_a_reference(cell, record, tmp_path):
    names = ('a/1/small/x', 'a/1/small/y', 'a/1/large/x', 'a/1/large/y')
    cells = {name: cell(name, against=('x', 'y') if 'small' in name else ('y',)) for name in names}
    results = [CellResult(one, [record(one, 0, 80.0 + len(one.id))]) for one in cells.values()]
    (block,) = find_blocks('<!-- forest of it: a/1 y -->\n<!-- end -->')
    assert (block.source, str(block)) == ('it', 'forest of it: a/1 y (line 1)')
    assert [each.id for each in block.cells(cells)] == list(names)
    text = block.write(results, 'images', 'page_')
    assert text == '\n![differences to y in a/1, with intervals](images/page_a_1_forest_y.png)\n'
    block.draw(results, tmp_path, 'page_')
    assert (tmp_path / 'page_a_1_forest_y.png').stat().st_size > 5000
    empty = [CellResult(one) for one in cells.values()]
    assert block.write(empty, 'images', '') == '\nNothing of a/1 was run yet.\n'
    block.draw(empty, tmp_path / 'none', '')
    assert not (tmp_path / 'none').exists()
    for name, said in (
        ('a/1', 'maybe a column that all its rows are compared with'),
        ('a/1 x', 'maybe a column that all its rows are compared with'),
        ('a/1 y y', 'maybe a column that all its rows are compared with'),
        ('a/1/small y', 'a plot is of one table, such as a/1'),
    ):
        (block,) = find_blocks(f'<!-- forest: {name} -->\n<!-- end -->')
        with pytest.raises(ValueError, match=said):
            block.cells(cells)


SUMMARY = '<!-- summary: small = a/1/small a/2/small | large = a/1/large ; none = x | M = y -->'


def test_a_summary_shows_means_and_differences_to_its_first_method(cell, record):
    names = ('a/1/small/x', 'a/2/small/x', 'a/2/small/y', 'a/1/large/x', 'a/1/large/y')
    cells = {name: cell(name, against=('x',)) for name in names}
    (block,) = find_blocks(f'{SUMMARY}\n<!-- end -->')
    assert [each.id for each in block.cells(cells)] == list(names)
    tops = {
        'a/1/small/x': (80.0, 80.5, 81.0),
        'a/2/small/x': (80.0, 80.5, 81.0),
        'a/2/small/y': (82.0, 82.5, 83.1),
        'a/1/large/x': (90.0, 91.0, 92.0),
        'a/1/large/y': (91.5, 91.0, 90.0),
    }
    results = [
        CellResult(cells[name], [record(cells[name], seed, top) for seed, top in enumerate(of)])
        for name, of in tops.items()
    ]
    assert block.write(results, 'images', '') == (
        '\n|  | small | large |\n| --- | --- | --- |\n| none | 80.50 | 91.00 |\n'
        '| M | 82.53 (**+2.03**) | 90.83 (-0.17) |\n'
    )
    for text in ('a/1/small', 'x = a/1/small', 'x = a ; y', 'x = a ; y = z ; w = v'):
        (block,) = find_blocks(f'<!-- summary: {text} -->\n<!-- end -->')
        with pytest.raises(ValueError, match=f'a summary must be .*got {text!r}'):
            block.cells(cells)
