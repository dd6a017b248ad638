"""A hand-written page whose blocks are filled from files of figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from .plots import plot_sweeps
from .report import Report
from .tables import (
    goals_table,
    profile_table,
    section_table,
    setting_line,
    sweep_table,
)
from .verdicts import judge_all

_BLOCK = re.compile(
    r'^(?P<start><!-- costs: (?P<file>\S+) (?P<kind>\w+)(?: (?P<name>[^>]+?))? -->)\n'
    r'(?P<content>.*?)^(?P<end><!-- end -->)$',
    re.MULTILINE | re.DOTALL,
)


def fill_page(text: str, folder: Path) -> str:
    """Return a page with the blocks filled.

    A block stands between ``<!-- costs: FILE KIND [NAME] -->`` and ``<!-- end -->``. FILE is
    relative to the page. KIND is ``machine``, ``goals``, ``table TOPIC``, ``sweep FIELD``,
    ``profile AUGMENT`` or ``plot PICTURE``. What was left out is shown as not measured.

    Args:
        text: Text of the page.
        folder: Folder of the page.

    Raises:
        FileNotFoundError: If a file of figures does not exist.
        ValueError: If a block is not closed, or its kind is unknown.
    """
    if len(_BLOCK.findall(text)) != text.count('<!-- costs: '):
        raise ValueError('a block <!-- costs: ... --> of the page is not closed by <!-- end -->')
    reports: dict[str, Report] = {}

    def write(match: re.Match) -> str:
        file = match['file']
        if file not in reports:
            reports[file] = Report.load(folder / file)
        content = _content(reports[file], match['kind'], match['name'] or '')
        return f'{match["start"]}\n{content}\n{match["end"]}'

    return _BLOCK.sub(write, text)


def draw_pictures(text: str, folder: Path) -> list[Path]:
    """Draw the pictures of a page, and return their paths.

    Args:
        text: Text of the page.
        folder: Folder of the page.
    """
    drawn = []
    for match in _BLOCK.finditer(text):
        if match['kind'] == 'plot' and match['content'].startswith('!['):
            path = folder / match['name']
            plot_sweeps(Report.load(folder / match['file']), path)
            drawn.append(path)
    return drawn


def _content(report: Report, kind: str, name: str) -> str:
    kinds: dict[str, Callable[[], str]] = {
        'machine': lambda: setting_line(report.machine),
        'goals': lambda: goals_table(judge_all(report)),
        'table': lambda: _table(report, name),
        'sweep': lambda: sweep_table(report.sections[f'sweep_{name}']),
        'profile': lambda: profile_table(report.profiles[name]),
        'plot': lambda: _picture(report, name),
    }
    if kind not in kinds:
        raise ValueError(f'a block of costs is of one of {", ".join(kinds)}, not {kind!r}')
    try:
        return kinds[kind]()
    except KeyError:  # the run left this topic out, or had no trained teacher
        return 'Not measured.'


def _picture(report: Report, name: str) -> str:
    if not any(topic.startswith('sweep_') for topic in report.sections):
        raise KeyError(name)
    return f'![Cost of mixing against batch, k, image size and teacher]({name})'


def _table(report: Report, name: str) -> str:
    section = report.sections[name]
    return f'{setting_line(report.machine, section.setting)}:\n\n{section_table(section)}'
