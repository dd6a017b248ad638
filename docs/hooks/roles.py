"""Roles of Sphinx in docstrings, such as ``:class:`Draw```, become links of the API reference.

A name that the reference has becomes a link to its entry. Any other name becomes code.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Any

import griffe

API = Path(__file__).resolve().parents[1] / 'api'
_ENTRY = re.compile(r'^::: (mmtmix[\w.]+)', re.MULTILINE)
_ROLE = re.compile(r':(?:class|func|meth|mod|attr|data|exc|obj):`~?([^`<>]+?)`')
_ADDRESS = re.compile(r'`([^`<>]+?)\s+<(https?://[^>]+)>`_{1,2}', re.DOTALL)
_SESSION = re.compile(r'^( *)>>> .*(?:\n\1\S.*)*', re.MULTILINE)
_LITERAL = re.compile(r'``(.+?)``', re.DOTALL)


def entries(folder: Path = API) -> list[str]:
    """Return the names that the pages of the reference describe, in their order.

    Args:
        folder: Folder of the pages.
    """
    pages = sorted(folder.glob('*.md'))
    return [name for page in pages for name in _ENTRY.findall(page.read_text(encoding='utf-8'))]


class Roles(griffe.Extension):
    """Extension of griffe, which reads the sources for mkdocstrings."""

    @cached_property
    def known(self) -> dict[str, str]:
        """Return the full names of the reference by their last parts."""
        return {name.rpartition('.')[2]: name for name in entries()}

    def on_package(self, *, pkg: Any, **_: Any) -> None:
        """Change the docstrings of a whole package."""
        self._visit(pkg)

    def _visit(self, each: Any) -> None:
        if each.docstring is not None:
            each.docstring.value = self.convert(each.docstring.value, each)
        for member in each.members.values():
            if not member.is_alias:
                self._visit(member)

    def convert(self, text: str, owner: Any = None) -> str:
        """Return a docstring with links and code in Markdown.

        Args:
            text: Docstring.
            owner: Object that it describes; a bare name of a method is one of its class.
        """
        text = _LITERAL.sub(_code, text)
        text = _ADDRESS.sub(r'[\1](\2)', text)
        text = _SESSION.sub(r'\1```pycon\n\g<0>\n\1```', text)
        text = re.sub(r'::\n\n( +)', r':\n\n\1', text)
        return _ROLE.sub(lambda found: self._link(found[1], owner), text)

    def _link(self, name: str, owner: Any) -> str:
        parts = name.split('.')
        of_class = len(parts) > 1 and parts[-2][:1].isupper()
        shown = f'`{".".join(parts[-2:] if of_class else parts[-1:])}`'
        foreign = '.' in name and parts[0].islower() and parts[0] != 'mmtmix'
        if foreign:
            return f'`{name}`'
        if parts[-1] in self.known:
            return f'[{shown}][{self.known[parts[-1]]}]'
        if len(parts) > 1 and parts[-2] in self.known and not parts[-1].startswith('_'):
            return f'[{shown}][{self.known[parts[-2]]}.{parts[-1]}]'
        return shown


def _code(found: re.Match) -> str:
    return found[0] if '`' in found[1] else f'`{found[1]}`'
