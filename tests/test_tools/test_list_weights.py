"""docs/weights.md has the tables that tools/list_weights.py makes of the cards."""

import re
import shutil
from pathlib import Path

import pytest

# <!-- NAME: ... --> CONTENT <!-- end -->
MADE = re.compile(r'^<!-- ([^\n]*) -->\n((?:(?!<!--).)*)<!-- end -->', re.MULTILINE | re.DOTALL)
PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'weights.md'


@pytest.fixture(scope='module')
def tool(load):
    return load('list_weights')


def test_no_block_of_a_page_that_a_command_makes_is_empty():
    """A block that a tool fills with nothing would be called up to date."""
    blocks = {}
    for page in PAGE.parent.glob('*.md'):
        text = re.sub(r'^```.*?^```$', '', page.read_text(encoding='utf-8'), flags=re.M | re.S)
        for name, content in MADE.findall(text):
            blocks[page.name, name.split(':')[0]] = content.strip()
    assert {('weights.md', 'weights'), ('weights.md', 'quality')} <= blocks.keys()
    assert [place for place, content in blocks.items() if not content] == []
    for name in ('weights', 'quality'):
        assert blocks['weights.md', name].count('mmtmix://' if name == 'weights' else '| mix') > 1


def test_the_page_is_up_to_date(tool):
    assert tool.main(['--check']) == 0


def test_an_old_page_is_noticed_and_only_its_tables_are_made_anew(tool, tmp_path, capsys):
    page = tmp_path / 'weights.md'
    shutil.copy(PAGE, page)
    text = page.read_text()
    page.write_text(text.replace('mmtmix://fashionmnist_k2` | 2', 'mmtmix://fashionmnist_k2` | 9'))
    assert tool.main(['--check', '--page', str(page)]) == 1
    assert 'tools/list_weights.py' in capsys.readouterr().err
    assert tool.main(['--page', str(page)]) == 0
    assert page.read_text() == text
    page.write_text('# no place')
    with pytest.raises(ValueError, match='has no place'):
        tool.main(['--check', '--page', str(page)])
