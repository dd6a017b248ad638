"""Links from pages to files of the repository become addresses of the repository's site.

A page is read in two places: in the repository, where a relative link such as
``../configs/simple/wrn28_cifar100.py`` works, and on the site, which holds pages alone. So the
site's build turns such links into addresses, and stops at a link to a file that does not exist.
Marks for the tests of code blocks are left out of the pages.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# pages of the site that lie elsewhere in the repository, by their names in the site
ELSEWHERE = {'changelog.md': 'CHANGELOG.md'}
# tests of the blocks read these; see CONTRIBUTING.md
_MARK = re.compile(r'<!--\s*(?:not run|file|runs as|added to|fixture):.*?-->\n?', re.DOTALL)
_FENCE = re.compile(r'^( *)(`{3,}|~{3,}).*?^\1?\2`*~*[ \t]*$', re.MULTILINE | re.DOTALL)
_CODE = re.compile(r'(`+)(?!`).+?(?<!`)\1(?!`)', re.DOTALL)
_LINK = re.compile(r'(\]\(|^\[[^\]]+\]:\s+)(<?)([^)\s>]+)', re.MULTILINE)


def on_files(files: Any, config: Any) -> Any:
    """Add pages that lie elsewhere in the repository."""
    from mkdocs.structure.files import File

    for name, source in ELSEWHERE.items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Turn links to files of the repository into addresses, and leave the marks out."""
    source = ELSEWHERE.get(page.file.src_uri, f'docs/{page.file.src_uri}')
    if source == 'CHANGELOG.md':  # versions are in brackets there, which would be shown
        markdown = re.sub(r'^## \[([^]]+)\]', r'## \1', markdown, flags=re.MULTILINE)
    return rewrite(markdown, source, config.repo_url)


def on_page_content(content: str, **_: Any) -> str:
    """Keep figures such as ``83.1 ± 0.5`` and ``[-0.3, +0.2]`` in one line of a table."""
    content = re.sub(r'(\d) ± (\d)', '\\1\u00a0±\u00a0\\2', content)
    return re.sub(r'(\[[+-]?[\d.]+), ([+-]?[\d.]+\])', '\\1,\u00a0\\2', content)


def rewrite(markdown: str, source: str, repository: str) -> str:
    """Return a page with addresses in place of links to files outside of the site.

    Args:
        markdown: Content of the page.
        source: Path of the page below the root of the repository.
        repository: Address of the repository, without ``/`` at the end.

    Raises:
        FileNotFoundError: If a link names a file that does not exist.
        ValueError: If a link names a heading that a page outside of the site does not have.
    """
    pages = {path: name for name, path in ELSEWHERE.items()}

    def address(found: re.Match) -> str:
        before, bracket, link = found.groups()
        path, hash_, anchor = link.partition('#')
        if not path or ':' in path or path.startswith('/'):
            return found[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        if not (ROOT / target).exists():
            raise FileNotFoundError(f'{source} links to {link}, but there is no file {target}')
        if anchor and target.endswith('.md') and anchor not in anchors_of(target):
            raise ValueError(f'{source} links to {link}, but {target} has no heading for {anchor}')
        if target in pages:  # a page of the site in another place
            link = posixpath.relpath(f'docs/{pages[target]}', posixpath.dirname(source) or '.')
        elif target.startswith('docs/') and not (ROOT / target).is_dir():
            # a page elsewhere, such as the change log, is in the folder of pages on the site
            folder = 'docs' if source in pages else posixpath.dirname(source)
            link = posixpath.relpath(target, folder)
        else:
            kind = 'tree' if (ROOT / target).is_dir() else 'blob'
            link = f'{repository.rstrip("/")}/{kind}/main/{target}'
        return f'{before}{bracket}{link}{hash_}{anchor}'

    return outside_code(markdown, lambda text: _LINK.sub(address, _MARK.sub('', text)))


def anchors_of(path: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page.

    Args:
        path: Path of the page below the root of the repository.
    """
    text = _FENCE.sub('', (ROOT / path).read_text(encoding='utf-8'))
    headings = re.findall(r'^#+ +(.+?) *#*$', text, re.MULTILINE)
    names = [re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings]
    return {*names, *re.findall(r'(?:id|name)="([^"]+)"', text)}


def outside_code(markdown: str, change: Callable[[str], str]) -> str:
    """Return a page whose text, but not its code, is changed.

    Args:
        markdown: Content of the page.
        change: Function of a text, with placeholders for what is code.
    """
    kept: list[str] = []

    def keep(found: re.Match) -> str:
        kept.append(found[0])
        return f'\0{len(kept) - 1}\0'

    text = _CODE.sub(keep, _FENCE.sub(keep, markdown))
    text = change(text)
    while '\0' in text:  # code in a line may hold a placeholder
        text = re.sub(r'\0(\d+)\0', lambda found: kept[int(found[1])], text)
    return text
