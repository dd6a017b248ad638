"""The length of sentences on the pages and of the README, and the README's addresses."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
MEAN, LINES = 20, 130
REPOSITORY = 'https://github.com/mmtmix/mmtmix/blob/main/'
PICTURES = 'https://raw.githubusercontent.com/mmtmix/mmtmix/main/'
SITE = 'https://mmtmix.github.io/mmtmix/latest/'


def prose(text):
    """Return the paragraphs and list items of a page, without code, tables and comments."""
    text = re.sub(r'<!--.*?-->', '', text, flags=re.DOTALL)
    text = re.sub(r'^ *(```|~~~).*?^ *\1 *$', '', text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r'\$\$.*?\$\$', '', text, flags=re.DOTALL)
    text = re.sub(r'\$[^$\n]+\$', 'x', text)
    text = re.sub(r'`[^`]*`', 'code', text)
    text = re.sub(r'!\[[^]]*\]\([^)]*\)', '', text)
    text = re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', text)
    blocks, lines = [], []
    for line in [*text.splitlines(), '']:
        starts = re.match(r' *([-*]|\d+\.) ', line)
        ends = not line.strip() or line.lstrip().startswith(('#', '|', '!!!', '???', '<'))
        if (starts or ends) and lines:
            blocks.append(' '.join(lines))
            lines = []
        if not ends:
            lines.append(re.sub(r'^ *([-*]|\d+\.) ', '', line).strip())
    return blocks


def sentences(text):
    """Return the sentences of a page's prose."""
    parts = [part for block in prose(text) for part in re.split(r'(?<=[.!?:])[)"*_]*\s+', block)]
    return [part for part in parts if len(part.split()) > 2]


def words(sentence):
    """Return the number of words of a sentence."""
    return sum(bool(re.search(r'\w', word)) for word in sentence.split())


def slug(heading):
    """Return the anchor that GitHub and the site give to a heading."""
    kept = re.sub(r'[^\w\- ]', '', re.sub(r'`|\[|\]\([^)]*\)', '', heading).strip().lower())
    return kept.replace(' ', '-')


def anchors(path):
    """Return the anchors of a page."""
    text = re.sub(r'^```.*?^```', '', path.read_text(), flags=re.DOTALL | re.MULTILINE)
    found = [slug(heading) for heading in re.findall(r'^#+ (.+)$', text, flags=re.MULTILINE)]
    return {*found, *re.findall(r'(?:id|name)="([^"]+)"', text)}


def test_prose_leaves_out_code_tables_and_comments():
    text = (
        '# A heading here\n\nOne two three. Four `a b` five six!\n\n```bash\nnot this one\n```\n\n'
        '| not | this |\n\n<!-- nor this\none -->\n- An item of [a list](x.md).\n- Its next one.\n'
    )
    assert sentences(text) == [
        'One two three.',
        'Four code five six!',
        'An item of a list.',
        'Its next one.',
    ]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_sentences_are_short(page):
    found = sentences(page.read_text())
    assert found, f'{page.name} has no sentence'
    lengths = [words(sentence) for sentence in found]
    longest = max(found, key=words)
    mean = sum(lengths) / len(lengths)
    assert mean < MEAN, f'{page.name}: {mean:.1f} words per sentence; the longest is {longest!r}'


def test_readme_fits_a_screen_and_a_half():
    lines = (ROOT / 'README.md').read_text().splitlines()
    assert len(lines) <= LINES, f'{len(lines)} lines; move something to a page of docs/'
    shown = [re.sub(r'\]\([^)]*\)', ']', line) for line in lines]  # without addresses
    assert max(map(len, shown)) <= 125, 'a line of the README wraps'


def test_addresses_of_the_readme_exist_in_this_tree():
    text = (ROOT / 'README.md').read_text()
    targets = re.findall(r'\]\(([^)\s]+)\)', text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(targets) > 10
    for target in targets:
        assert target.startswith('https://'), f'{target} is relative, and PyPI shows this page'
        address, _, anchor = target.partition('#')
        if address.startswith((REPOSITORY, PICTURES)):
            path = ROOT / address.removeprefix(REPOSITORY).removeprefix(PICTURES)
        elif address.startswith(SITE):
            name = address.removeprefix(SITE).strip('/') or 'index'
            assert name == 'index' or address.endswith('/'), f'{address} must end in /'
            path = ROOT / 'docs' / f'{name}.md'
        else:
            assert 'mmtmix/mmtmix' not in address or address == 'https://github.com/mmtmix/mmtmix'
            continue
        assert path.is_file(), f'{target}: there is no {path.relative_to(ROOT)}'
        assert not anchor or anchor in anchors(path), f'{target}: no such heading'
