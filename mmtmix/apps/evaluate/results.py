"""The file of an evaluation, and its row in a table."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mmtmix.utils import atomic_path, is_shipped

from .suites import SUITES

FORMAT = 1
OF_RESULT = (
    'checkpoint_sha256', 'network', 'test_set', 'image_list', 'num_images', 'seed', 'dtype',
)  # fmt: skip
"""Fields that results in one file share."""

# places on a machine, which no result depends on
_HIDDEN = ('folder', 'boxes_file', 'baseline_file')


def read_results(path: str | os.PathLike) -> dict[str, Any]:
    """Return the content of a results file; empty if there is none.

    Args:
        path: Path of the file.

    Raises:
        ValueError: If it is no file of results.
    """
    path = Path(path)
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(
            f'{path} is no JSON ({error}); delete it or give another --out'
        ) from error
    if not isinstance(found, dict) or found.get('format') != FORMAT or 'suites' not in found:
        raise ValueError(f'{path} is no file of results; delete it or give another --out')
    return found


def write_results(path: str | os.PathLike, results: Mapping[str, Any]) -> None:
    """Write results, whole or not at all.

    Args:
        path: Path of the file.
        results: The results.
    """
    with atomic_path(path) as temporary:
        text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(f'{text}\n', encoding='utf-8')


def check_same(path: str | os.PathLike, kept: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to mix results of another checkpoint, network or other images into one file.

    Args:
        path: Path of the file.
        kept: Content of the file; nothing is refused if it is empty.
        now: Results to come, with the same fields.

    Raises:
        ValueError: If a field of :data:`OF_RESULT` differs.
    """
    differing = [name for name in OF_RESULT if kept and kept.get(name) != now[name]]
    if differing:
        listed = ', '.join(
            f'{name} {kept.get(name)!r} and not {now[name]!r}' for name in differing
        )
        raise ValueError(f'{path} is of another evaluation: {listed}; give another --out')


def stored_settings(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a suite that a result depends on.

    Args:
        chosen: Settings of the suite.
    """
    return {name: value for name, value in chosen.items() if name not in _HIDDEN}


def describe(results: Mapping[str, Any], suites: Sequence[str]) -> str:
    """Return the Markdown table of an evaluation: a head and one row, and the notes below it.

    Args:
        results: Content of a results file.
        suites: Names of the suites in it that are shown.
    """
    head = ['model', 'images']
    row = [_model_name(str(results['checkpoint'])), str(results['images'])]
    notes: list[str] = []
    for suite in suites:
        found = results['suites'][suite]
        for figure, title in SUITES[suite].shown.items():
            if figure in found['figures']:
                unit = found['units'][figure]
                head.append(title if unit[:1] != '%' else f'{title} %')
                row.append(f'{found["figures"][figure]:.{2 if unit[:1] == "%" else 3}f}')
        notes += [f'{suite}: {note}.' for note in found['notes']]
    lines = [head, ['---'] * len(head), row]
    table = '\n'.join(f'| {" | ".join(_escaped(cell) for cell in line)} |' for line in lines)
    return '\n\n'.join([table, *notes])


def _model_name(checkpoint: str) -> str:
    """Return the end of a checkpoint's path; the whole name of weights of the package."""
    if is_shipped(checkpoint):
        return checkpoint
    path = Path(urlsplit(checkpoint).path if '://' in checkpoint else checkpoint)
    return '/'.join(path.parts[-2:])


def _escaped(text: str) -> str:
    return text.replace('|', '\\|')
