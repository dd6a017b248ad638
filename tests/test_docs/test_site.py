"""The site: each public name is on one page, and each page is in the navigation."""

import importlib
import re
from collections import Counter

import pytest
import yaml

from .page import ROOT

DOCS = ROOT / 'docs'
# whose names are public; see docs/api/index.md
PACKAGES = (
    *('datasets', 'engine', 'evaluation', 'functional', 'models', 'recipes', 'visualization'),
)
ENTRY = re.compile(r'^::: (\S+)$', re.MULTILINE)
ELSEWHERE = {'changelog.md'}  # of docs/hooks/links.py


class Loader(yaml.SafeLoader):
    """Reads mkdocs.yml without Python objects and environment variables."""


Loader.add_multi_constructor('', lambda loader, suffix, node: None)


def entries():
    """Return the names of the API reference, and the page of each."""
    return [
        (name, page.name)
        for page in sorted((DOCS / 'api').glob('*.md'))
        for name in ENTRY.findall(page.read_text())
    ]


@pytest.mark.parametrize('package', PACKAGES)
def test_every_public_name_is_on_one_page(package):
    module = importlib.import_module(f'mmtmix.{package}')
    # a function named as its module is listed by its full name, else its module would be shown
    listed = Counter(re.sub(r'\.(\w+)\.\1$', r'.\1', name) for name, _ in entries())
    wanted = {f'mmtmix.{package}.{name}' for name in module.__all__}
    missing = sorted(wanted - set(listed))
    assert not missing, f'add these to a page in docs/api, as `::: NAME`: {missing}'
    assert not [name for name in wanted if listed[name] > 1]


def test_every_entry_exists():
    unknown = []
    for name, page in entries():
        name = re.sub(r'\.(\w+)\.\1$', r'.\1', name)
        module, _, attribute = name.rpartition('.')
        if not hasattr(importlib.import_module(module), attribute):
            unknown.append(f'{page}: {name}')
    assert not unknown


def test_every_page_is_in_the_navigation_once():
    def pages_of(part):
        if isinstance(part, str):
            return [part]
        values = part.values() if isinstance(part, dict) else part
        return [page for value in values for page in pages_of(value)]

    config = yaml.load((ROOT / 'mkdocs.yml').read_text(), Loader)
    listed = pages_of(config['nav'])
    there = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob('*.md')}
    assert sorted(listed) == sorted(there | ELSEWHERE)


def test_nothing_is_fetched_from_other_servers():
    config = yaml.load((ROOT / 'mkdocs.yml').read_text(), Loader)
    assert config['theme']['font'] is False
    assert not [each for each in config.get('extra_css', []) if '://' in each]
    assert not config.get('extra_javascript')
    # the theme's part asks GitHub's API for stars
    assert 'data-md-component' not in (DOCS / 'theme/partials/source.html').read_text()
    for path in DOCS.rglob('*.css'):
        text = path.read_text()
        assert '@import' not in text
        for file in re.findall(r"url\('([^']*)'\)|url\(", text):
            assert (path.parent / file).is_file(), path


def test_every_picture_has_an_alt_text():
    for path in [ROOT / 'README.md', *DOCS.rglob('*.md')]:
        text = re.sub(r'^```.*?^```', '', path.read_text(), flags=re.MULTILINE | re.DOTALL)
        assert not re.findall(r'!\[\s*\]', text), path
        assert not [tag for tag in re.findall(r'<img[^>]*>', text) if 'alt="' not in tag], path
