"""Panels that a run has drawn of its mixes, small enough for a page."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

_PATTERN = '*/vis_data/vis_image/mixes*.png'
_STEP = re.compile(r'_(\d+)\.png$')
WIDEST = 1100
"""Width in pixels beyond which a picture is made smaller."""


class Picture(NamedTuple):
    """A picture of a page.

    Attributes:
        uri: The picture itself, as a ``data:`` address.
        width: Width in pixels.
        height: Height in pixels.
        caption: What it shows.
    """

    uri: str
    width: int
    height: int
    caption: str


def panels(folder: Path) -> tuple[list[Picture], list[str]]:
    """Return the first, a middle and the last panel of a run.

    Args:
        folder: Work dir of the run.

    Returns:
        The pictures, and sentences about those that cannot be read.
    """
    # a resumed run draws some steps again; the newest attempt counts
    by_step = {_step(file): file for file in sorted(folder.glob(_PATTERN))}
    files = [by_step[step] for step in sorted(by_step)]
    found, faults = [], []
    for file in _chosen(files):
        caption = f'Mixes at step {_step(file):,}, panel {files.index(file) + 1} of {len(files)}'
        try:
            found.append(read_picture(file, caption))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            faults.append(f'The picture {file.name} cannot be read: it is no whole PNG.')
    return found, faults


def read_picture(file: Path, caption: str) -> Picture:
    """Return a picture, made smaller if it is wider than :data:`WIDEST`.

    Args:
        file: Path of the picture.
        caption: What it shows.

    Raises:
        OSError: If it cannot be read.
    """
    content = file.read_bytes()
    with Image.open(io.BytesIO(content), formats=['PNG']) as image:
        image.load()  # a damaged one is found now
        if image.width > WIDEST:
            height = max(1, round(image.height * WIDEST / image.width))
            small = image.convert('RGB').resize((WIDEST, height), Image.Resampling.LANCZOS)
            written = io.BytesIO()
            small.save(written, 'PNG')
            return Picture(_uri(written.getvalue()), WIDEST, height, caption)
        return Picture(_uri(content), image.width, image.height, caption)


def _uri(content: bytes) -> str:
    return 'data:image/png;base64,' + base64.b64encode(content).decode('ascii')


def _chosen(files: Sequence[Path]) -> list[Path]:
    """Return the first, a middle and the last of several, each once."""
    if not files:
        return []
    places = sorted({0, len(files) // 2, len(files) - 1})
    return [files[place] for place in places]


def _step(file: Path) -> int:
    match = _STEP.search(file.name)
    return int(match[1]) if match else 0
