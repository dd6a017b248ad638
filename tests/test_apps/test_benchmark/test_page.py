"""A page's blocks come from files of figures, and docs/costs.md equals its file."""

from pathlib import Path

import pytest

from mmtmix.apps.benchmark.command import run, write_page
from mmtmix.apps.benchmark.page import fill_page
from mmtmix.cli.main import parse

pytestmark = pytest.mark.host

DOCS = Path(__file__).resolve().parents[3] / 'docs'
BLOCKS = ('machine', 'goals', 'table learned', 'profile CutMix', 'sweep k', 'plot costs.png')


@pytest.fixture
def page(report, tmp_path):
    """A page with a block of each kind, and the file of its figures."""
    report.save(tmp_path / 'costs.json')
    blocks = [f'<!-- costs: costs.json {block} -->\nold\n<!-- end -->\n' for block in BLOCKS]
    path = tmp_path / 'page.md'
    path.write_text('# Head\n\n' + '\nText.\n\n'.join(blocks) + '\nEnd.\n')
    return path


def test_docs_costs_is_what_its_figures_say():
    text = (DOCS / 'costs.md').read_text(encoding='utf-8')
    assert '<!-- costs: ../results/costs/cpu.json goals -->' in text
    assert fill_page(text, DOCS) == text, 'fill it by `mmtmix benchmark --no-measure --page ...`'


def test_blocks_are_filled_and_the_text_around_them_stays(page):
    args = parse('benchmark', ['--no-measure', '--page', str(page), '--device', 'cpu'])
    assert run(args) == 0
    text = page.read_text()
    assert 'old' not in text
    assert text.startswith('# Head\n\n<!-- costs: costs.json machine -->\ndevice cpu, threads 1\n')
    assert '| SuperMix, k = 2 | 28.7 | 12 f | <= 10 f | missed |' in text
    assert '| TransformMix | 250.0 ms | 8 | 2.50 | 120 | - |' in text
    assert '| `aten::mul` | 2 | 75.0 |' in text
    assert '(costs.png)' in text and (page.parent / 'costs.png').stat().st_size > 1000
    assert text.count('\nText.\n') == len(BLOCKS) - 1 and text.endswith('\nEnd.\n')
    write_page(page)
    assert page.read_text() == text


def test_a_wrong_block_is_refused_and_what_was_left_out_is_named(page):
    text = '<!-- costs: costs.json KIND -->\n<!-- end -->\n'
    with pytest.raises(ValueError, match="one of machine, goals, .*, not 'pie'"):
        fill_page(text.replace('KIND', 'pie'), page.parent)
    with pytest.raises(ValueError, match='is not closed'):
        fill_page(text.replace('<!-- end', '<!-- ende'), page.parent)
    for kind in ('table steps', 'sweep teacher', 'profile SuperMix'):
        assert '\nNot measured.\n' in fill_page(text.replace('KIND', kind), page.parent)
