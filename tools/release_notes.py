"""Print the notes of a version from CHANGELOG.md, and refuse a tag that does not fit the source.

A tag is `v` and the version in `mmtmix/version.py`, and CHANGELOG.md has a heading
`## [VERSION] - YYYY-MM-DD` with notes below it. The release workflow runs this before it builds
anything. It needs nothing but Python.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_HEADING = re.compile(
    r'^## \[(?P<name>[^\]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?$', re.MULTILINE
)


def source_version(root: Path) -> str:
    """Return the version in ``mmtmix/version.py``, without importing the package.

    Args:
        root: Root of the source tree.

    Raises:
        ValueError: If there is none.
    """
    text = (root / 'mmtmix' / 'version.py').read_text(encoding='utf-8')
    found = re.search(r"^__version__ = '([^']+)'$", text, re.MULTILINE)
    if not found:
        raise ValueError("mmtmix/version.py has no line __version__ = '...'")
    return found[1]


def notes_of(changelog: str, version: str) -> str:
    """Return the notes of a version: what is between its heading and the next one.

    Args:
        changelog: Text of ``CHANGELOG.md``.
        version: Version such as ``'0.1.0'``.

    Raises:
        ValueError: If it has no heading, no date or no notes.
    """
    headings = list(_HEADING.finditer(changelog))
    names = [heading['name'] for heading in headings]
    if version not in names:
        raise ValueError(
            f'CHANGELOG.md has no heading ## [{version}] - YYYY-MM-DD; it has {", ".join(names)}. '
            'Rename the heading of the unreleased changes, and add an empty one above it'
        )
    number = names.index(version)
    if headings[number]['date'] is None:
        raise ValueError(f'the heading ## [{version}] of CHANGELOG.md needs a date: - YYYY-MM-DD')
    end = headings[number + 1].start() if number + 1 < len(headings) else len(changelog)
    notes = changelog[headings[number].end() : end].strip()
    if not notes:
        raise ValueError(f'CHANGELOG.md has no notes below ## [{version}]')
    return notes


def check_tag(tag: str, version: str) -> None:
    """Refuse a tag that is not that of a version.

    Args:
        tag: Name of the tag.
        version: Version of the source.

    Raises:
        ValueError: If the tag is another.
    """
    if tag != f'v{version}':
        raise ValueError(
            f'the tag {tag!r} is not v{version}, the version in mmtmix/version.py; set the '
            'version there, or tag the commit that has it'
        )


def main(argv: list[str] | None = None) -> int:
    """Print the notes, or the reason why there can be no release; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('tag', help='name of the tag, such as v0.1.0')
    parser.add_argument('--root', type=Path, default=ROOT, help='root of the source tree')
    args = parser.parse_args(argv)
    try:
        version = source_version(args.root)
        check_tag(args.tag, version)
        changelog = (args.root / 'CHANGELOG.md').read_text(encoding='utf-8')
        print(notes_of(changelog, version))
    except ValueError as error:
        print(f'release_notes.py: error: {error}', file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
