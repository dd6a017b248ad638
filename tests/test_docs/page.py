"""The code blocks of a page, and the marks above them that say how a test runs them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ('bash', 'python')
MARKS = ('not run', 'file', 'runs as', 'added to', 'fixture')
FIXTURES = ('photos', 'trained', 'tensors')
_COMMENT = re.compile(r'<!--\s*([a-z][a-z ]*):\s*(.*?)\s*-->', re.DOTALL)


class Mark(NamedTuple):
    """A comment such as ``<!-- not run: it needs a GPU -->``.

    Attributes:
        name: Name in :data:`MARKS`.
        value: Text after the colon.
    """

    name: str
    value: str


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: Path of the page below the root of the repository.
        line: Number of the line of the opening fence, from 1.
        language: First word after the fence.
        text: Content.
        marks: Marks directly above it.
    """

    page: str
    line: int
    language: str
    text: str
    marks: tuple[Mark, ...] = ()

    @property
    def name(self) -> str:
        """Return ``page:line``."""
        return f'{self.page}:{self.line}'

    @property
    def is_config(self) -> bool:
        """Return whether the block inherits from another config."""
        return self.language == 'python' and bool(re.search(r'^_base_ = ', self.text, re.M))

    def mark(self, name: str) -> str | None:
        """Return the value of a mark; None without it.

        Args:
            name: Name in :data:`MARKS`.
        """
        return next((mark.value for mark in self.marks if mark.name == name), None)


@dataclass(frozen=True)
class Page:
    """A page and what a test runs of it.

    Attributes:
        path: Path below the root of the repository.
        blocks: Blocks in the languages of :data:`LANGUAGES`, and files in any language.
        fixtures: Names in :data:`FIXTURES`.
    """

    path: str
    blocks: tuple[Block, ...]
    fixtures: tuple[str, ...]


def read_page(path: str, text: str | None = None) -> Page:
    """Return the blocks of a page that a test runs.

    Args:
        path: Path below the root of the repository.
        text: Content of the page; by default that of the file.

    Raises:
        ValueError: If a mark is unknown, stands above no block, or does not fit its block.
    """
    text = (ROOT / path).read_text(encoding='utf-8') if text is None else text
    blocks, fixtures = [], []
    marks: list[Mark] = []
    for token in MarkdownIt().parse(text):
        where = f'{path}:{token.map[0] + 1}' if token.map else path
        if token.type == 'html_block':
            for mark in _marks(token.content, where):
                if mark.name == 'fixture':
                    fixtures.append(_fixture(mark.value, where))
                else:
                    marks.append(mark)
            continue
        if token.type == 'fence':
            language = (token.info.split() or [''])[0]
            block = Block(path, token.map[0] + 1, language, token.content, tuple(marks))
            _check(block)
            if language in LANGUAGES or block.mark('file'):
                blocks.append(block)
        elif marks and token.nesting >= 0:
            raise ValueError(f'{where}: {marks[-1]} stands above no block')
        if token.nesting >= 0:
            marks = []
    if marks:
        raise ValueError(f'{path}: {marks[-1]} stands above no block')
    return Page(path, tuple(blocks), tuple(dict.fromkeys(fixtures)))


def pages() -> list[str]:
    """Return the paths of all pages whose blocks are tested, below the root."""
    found = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted(ROOT.glob('docs/**/*.md'))]
    found += sorted(ROOT.glob('configs/*/README.md'))
    return [path.relative_to(ROOT).as_posix() for path in found]


def _marks(html: str, where: str) -> Iterator[Mark]:
    for name, value in _COMMENT.findall(html):
        if name in MARKS:
            yield Mark(name, value)
        elif any(name.replace(' ', '') == known.replace(' ', '') for known in MARKS):
            raise ValueError(f'{where}: no mark {name!r}; the marks are {", ".join(MARKS)}')


def _fixture(name: str, where: str) -> str:
    if name not in FIXTURES:
        raise ValueError(f'{where}: no fixture {name!r}; there are {", ".join(FIXTURES)}')
    return name


def _check(block: Block) -> None:
    names = [mark.name for mark in block.marks]
    if len(names) != len(set(names)) or {'not run', 'runs as'} <= set(names):
        raise ValueError(f'{block.name}: marks contradict each other: {names}')
    for mark in block.marks:
        if not mark.value:
            raise ValueError(f'{block.name}: {mark.name} needs a value')
    if names and names != ['file'] and block.language not in LANGUAGES:
        raise ValueError(f'{block.name}: a block in {block.language!r} is never run')
    if 'runs as' in names and block.language != 'bash':
        raise ValueError(f'{block.name}: only commands run as others')
    if 'added to' in names and block.language != 'python':
        raise ValueError(f'{block.name}: only a part of a config is added to another')
