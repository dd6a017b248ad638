"""tools/evidence.py on a page and records of its own."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mmtmix.apps.reproduce import (
    RunResult,
    choose_cells,
    read_experiments,
    read_records,
    runs_of,
    write_records,
)
from mmtmix.utils import run_command

pytestmark = pytest.mark.host

EXPERIMENTS = """
final/main/small:
  against: [simple]
  cells:
    simple: {config: configs/a.py}
    mixup: {config: configs/a.py, variants: {NET: mixup}}
final/other/small:
  cells:
    simple: {config: configs/a.py, variants: {NET: other}}
"""
PAGE = """# Evidence

## One

<!-- results: final/main -->
<!-- end -->
<!-- plot: final/main -->
<!-- end -->

## Two

<!-- results: final/other/small -->
<!-- end -->
<!-- plot: final/other -->
<!-- end -->
Written by hand.
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a page, experiments and recorded runs of one table."""
    monkeypatch.chdir(tmp_path)
    for name in ('configs', 'docs'):
        (tmp_path / name).mkdir()
    (tmp_path / 'configs/a.py').write_text(
        '_base_ = []\nfrom mmtmix.recipes import variant\n'
        "model = dict(net=variant('NET', 'simple', 'mixup', 'other'))\n"
    )
    (tmp_path / 'experiments.yaml').write_text(EXPERIMENTS)
    (tmp_path / 'docs/page.md').write_text(PAGE)
    records = []
    for number, cell in enumerate(choose_cells(read_experiments('experiments.yaml'), ['*/main'])):
        for run in runs_of(cell, 3):
            metrics = {'accuracy/top1': 80.0 + 2 * number + run.seed}
            noted = (run.digest(), {}, 'cpu', '', 1.0)
            records.append(RunResult(*run.experiment, 'last', run.seed, metrics, *noted))
    write_records(records, 'runs.jsonl')
    return tmp_path


@pytest.fixture
def call(load):
    tool = load('evidence')
    files = ('--experiments', 'experiments.yaml', '--results', 'runs.jsonl')
    page = ('--page', 'docs/page.md')
    return lambda *args: run_command(tool.main, 'evidence.py', [*files, *page, *args])


def test_a_page_is_filled_and_then_up_to_date(folder, call, capsys):
    assert call('--check') == 1
    assert capsys.readouterr().err.count('docs/page.md does not match runs.jsonl') == 4
    assert (folder / 'docs/page.md').read_text() == PAGE
    assert call() == 0
    text = (folder / 'docs/page.md').read_text()
    assert '| mixup | 83.00 ± 1.00 | 3 | +2.00 **[+2.00, +2.00]** |' in text
    assert '](images/page_final_main.png)' in text
    assert '| small/simple | - | not run | 0 | - | last |' in text
    assert 'Nothing of final/other was run yet.' in text
    emptied = re.sub(r'(<!-- [rp].*? -->\n).*?(?=<!-- end)', r'\1', text, flags=re.DOTALL)
    assert emptied == PAGE
    assert [path.name for path in (folder / 'docs/images').iterdir()] == ['page_final_main.png']
    assert call('--check') == 0
    assert call() == 0
    assert (folder / 'docs/page.md').read_text() == text


def test_blocks_that_differ_are_named(folder, call, capsys):
    assert call() == 0
    path = folder / 'docs/page.md'
    path.write_text(path.read_text().replace('83.00', '84.00').replace('by hand', 'by me'))
    assert call('--check') == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith('results: final/main (line 5)')
    config = folder / 'configs/a.py'
    # which leaves out all that was recorded
    config.write_text(config.read_text().replace('dict(net', 'dict(lr=2, net'))
    assert call() == 0
    assert 'not run (seeds 0, 1, 2 made with another config)' in path.read_text()


def test_a_run_that_no_table_has_is_told(folder, call, capsys):
    path = folder / 'docs/page.md'
    # the plot still has them
    path.write_text(PAGE.replace('results: final/main', 'results: final/main/small/simple'))
    for more in ((), ('--check',)):
        assert call(*more) == 1
        lines = capsys.readouterr().err.splitlines()
        assert [line.split(' with ')[1] for line in lines] == [
            f'configs/a.py NET=mixup, seed {seed}' for seed in range(3)
        ]


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (lambda text: text.replace('final/other/small', 'final/other/smal'), "no cell 'final/oth"),
        (lambda text: text.replace('plot: final/other', 'plot: final'), 'a plot is of one table'),
        (lambda text: text[::-1].replace('>-- dne --!<', '', 1)[::-1], 'is not closed by'),
    ],
)
@pytest.mark.parametrize('args', [(), ('--check',)])
def test_a_wrong_block_is_told_and_nothing_is_written(folder, call, capsys, change, said, args):
    wrong = change(PAGE)
    assert wrong != PAGE
    (folder / 'docs/page.md').write_text(wrong)
    assert call(*args) == 2
    assert said in capsys.readouterr().err
    assert (folder / 'docs/page.md').read_text() == wrong
    assert not (folder / 'docs/images').exists()


def test_a_damaged_line_of_results_is_told(folder, call, capsys):
    lines = (folder / 'runs.jsonl').read_text().splitlines()
    assert len(json.loads(lines[1])) == 11
    (folder / 'runs.jsonl').write_text('\n'.join([lines[0], lines[1][:50]]))
    assert call('--check') == 2
    assert 'runs.jsonl is damaged in line 2' in capsys.readouterr().err


TWO = (
    '--experiments',
    'experiments.yaml',
    'more.yaml',
    '--results',
    'a/runs.jsonl',
    'b/runs.jsonl',
)


@pytest.fixture
def two(folder, load):
    """A page of two experiments files, whose cells have the same names."""
    for name in 'ab':
        (folder / name).mkdir()
    records = read_records('runs.jsonl')
    write_records(records, 'a/runs.jsonl')
    better = {'accuracy/top1': 95.0}
    write_records([replace(each, metrics=better) for each in records[:3]], 'b/runs.jsonl')
    (folder / 'more.yaml').write_text(EXPERIMENTS)
    text = PAGE + '\n<!-- results of b: final/main -->\n<!-- end -->\n'
    (folder / 'docs/page.md').write_text(text + '<!-- plot of b: final/main -->\n<!-- end -->\n')
    tool = load('evidence')
    return lambda *args: run_command(
        tool.main, 'evidence.py', ['--page', 'docs/page.md', *(args or TWO)]
    )


def test_one_page_shows_the_results_of_two_experiments_files(folder, two, capsys):
    assert two() == 0
    text = (folder / 'docs/page.md').read_text()
    assert text.count('| mixup | 83.00 ± 1.00 | 3 |') == 1
    assert text.count('| simple | 95.00 ± 0.00 | 3 | - |\n| mixup | not run | 0 | - |') == 1
    for name in ('page_final_main.png', 'page_b_final_main.png'):
        assert f'](images/{name})' in text and (folder / 'docs/images' / name).is_file()
    assert two(*TWO, '--check') == 0
    # every recorded run of each file must be shown from that file
    (folder / 'docs/page.md').write_text(text.replace('results of b', 'results'))
    assert two(*TWO, '--check') == 1
    lines = capsys.readouterr().err.splitlines()
    assert sum('has no table with configs/a.py' in line for line in lines) == 3
    assert any('does not match a/runs.jsonl: results: final/main (line ' in line for line in lines)
    (folder / 'docs/page.md').write_text(text.replace('results of b', 'results of c'))
    assert two(*TWO, '--check') == 2
    assert "(line 35): there are results of a, b, got 'c'" in capsys.readouterr().err


@pytest.mark.parametrize('args', [TWO[:-1], TWO[3:], TWO[:3], (*TWO[:-1], 'a/runs.jsonl')])
def test_each_experiments_file_has_its_own_results(two, capsys, args):
    assert two(*args) == 2
    assert 'must name as many files, at least one of each' in capsys.readouterr().err


def test_by_default_the_page_shows_what_is_recorded(folder, two):
    for name, source in (('fashionmnist', 'a'), ('glyphs', 'b')):
        (folder / 'results' / name).mkdir(parents=True)
        (folder / source / 'runs.jsonl').rename(folder / 'results' / name / 'runs.jsonl')
        (folder / f'configs/experiments_{name}.yaml').write_text(EXPERIMENTS)
    page = folder / 'docs/page.md'
    page.write_text(page.read_text().replace(' of b:', ' of glyphs:'))
    assert two('--page', 'docs/page.md') == 0
    assert (folder / 'docs/images/page_glyphs_final_main.png').is_file()


def test_our_page_says_what_our_results_say(load, monkeypatch):
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    assert load('evidence').main(['--check']) == 0
