"""Equations in LaTeX become MathML when the site is built, so no browser needs a script for them.

Pages write ``$...$`` in a line and ``$$...$$`` between lines, as GitHub shows them too.
"""

from __future__ import annotations

import html
import re
from typing import Any

_EQUATION = re.compile(
    r'<(span|div) class="arithmatex">\s*\\([(\[])(.*?)\\[)\]]\s*</\1>', re.DOTALL
)


def on_page_content(content: str, page: Any, **_: Any) -> str:
    """Replace the equations of a page."""
    return replace(content, page.file.src_uri)


def replace(content: str, page: str) -> str:
    """Return the HTML of a page with MathML in place of LaTeX.

    Args:
        content: HTML of the page, as ``pymdownx.arithmatex`` makes it.
        page: Name of the page, for errors.

    Raises:
        ValueError: If an equation cannot be converted.
    """

    def convert(found: re.Match) -> str:
        from latex2mathml.converter import convert as to_mathml

        kind, bracket, latex = found.groups()
        text = html.unescape(latex).strip()
        try:
            mathml = to_mathml(text, display='block' if bracket == '[' else 'inline')
        except Exception as error:
            raise ValueError(f'{page}: the equation {text!r} is no LaTeX: {error!r}') from error
        unknown = re.search(r'\\[A-Za-z]+', mathml)
        if unknown:  # the converter lets such commands through
            raise ValueError(f'{page}: {unknown[0]} is unknown in the equation {text!r}')
        # of LaTeX's sim: an operator has space around it
        mathml = mathml.replace('<mi>&#x0007E;</mi>', '<mo>&#x0223C;</mo>')
        label = html.escape(text, quote=True)
        return f'<{kind} class="equation" title="{label}">{mathml}</{kind}>'

    return _EQUATION.sub(convert, content)
