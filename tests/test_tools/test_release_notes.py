"""A release has a tag, a version and notes that agree."""

import subprocess
import sys
from pathlib import Path

import pytest

from mmtmix.version import __version__

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'release_notes.py'
CHANGELOG = """# Changelog

## [Unreleased]

- Not yet.

## [0.2.0] - 2027-01-31

### Added

- A thing, see [x](y).

## [0.1.0] - 2026-12-01

- First.

## [0.0.1]

- Without a date.

## [0.0.0] - 2026-01-01
"""


@pytest.fixture(scope='module')
def tool(load):
    return load('release_notes')


@pytest.fixture
def tree(tmp_path):
    (tmp_path / 'mmtmix').mkdir()
    (tmp_path / 'mmtmix' / 'version.py').write_text(
        '"""The version."""\n\n__version__ = \'0.2.0\'\n'
    )
    (tmp_path / 'CHANGELOG.md').write_text(CHANGELOG)
    return tmp_path


def test_notes_are_what_is_between_two_headings(tool, tree, capsys):
    assert tool.main(['v0.2.0', '--root', str(tree)]) == 0
    assert capsys.readouterr().out == '### Added\n\n- A thing, see [x](y).\n'
    assert tool.notes_of(CHANGELOG, '0.1.0') == '- First.'


@pytest.mark.parametrize(
    ('version', 'said'),
    [
        ('0.3.0', 'no heading ## .0.3.0.*it has Unreleased, 0.2.0'),
        ('0.0.1', 'needs a date'),
        ('0.0.0', 'no notes below'),
    ],
)
def test_a_version_without_notes_is_refused(tool, version, said):
    with pytest.raises(ValueError, match=said):
        tool.notes_of(CHANGELOG, version)


@pytest.mark.parametrize('tag', ['0.2.0', 'v0.2', 'v0.2.0rc1'])
def test_a_tag_of_another_version_is_refused(tool, tree, capsys, tag):
    assert tool.main([tag, '--root', str(tree)]) == 2
    assert f"the tag '{tag}' is not v0.2.0" in capsys.readouterr().err


def test_it_runs_without_any_package_and_reads_this_source():
    command = [sys.executable, '-I', '-S', str(TOOL), 'v0.0.0']
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert f'is not v{__version__}' in done.stderr
