"""docs/errors.md: each message that it lists is one that the sources raise, or quotes its file."""

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest

from .page import ROOT

PAGE = (ROOT / 'docs/errors.md').read_text(encoding='utf-8')
ENTRY = re.compile(r'^### `([^\n]+)`$\n+(.*?)(?=^##|\Z)', re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r'Quoted from \S+ [\d.]+,\s+`([\w/.]+)`')
OURS, HOSTS = PAGE.split('## Messages of the hosts')
# which raise what users meet; each has an entry at least
FAMILIES = (
    *('host.py', 'checks.py', 'utils/config.py', 'utils/config_paths.py', 'utils/variants.py'),
    *('utils/checkpoint.py', 'utils/weights.py', 'utils/claims.py', 'utils/outputs.py'),
    *('datasets/preflight.py', 'datasets/loading.py', 'engine/labels.py', 'engine/mixing.py'),
    *('engine/launch.py', 'engine/stages.py', 'engine/stage_records.py'),
    *('engine/hooks/finite_stop_hook.py', 'engine/hooks/precision_hook.py'),
    *('engine/runners/mixer_search_loop.py', 'functional/mixing.py', 'functional/graph_cut.py'),
    *('models/label_check.py', 'models/augments/reach.py', 'models/augments/augment_parts.py'),
    *('models/mixers/building.py', 'models/mixers/mixer_file.py', 'models/classifiers/labels.py'),
    *('models/saliency/live_model.py', 'models/saliency/teacher_cam.py'),
    *('models/teachers/cam_layer.py', 'models/teachers/checks.py', 'models/teachers/loading.py'),
    *('models/teachers/options.py', 'models/teachers/renormalize.py'),
    *('apps/init/images.py', 'apps/train/command.py', 'apps/train/rehearsal/classes.py'),
    *('apps/train/rehearsal/lookup.py', 'apps/generate/folder.py', 'visualization/scalars.py'),
)  # fmt: skip


def entries(text):
    """Return the headings and bodies of a part of the page."""
    return [(found[1], found[2]) for found in ENTRY.finditer(text)]


@cache
def texts():
    """Return the texts in the sources by their file, with a mark for what varies."""
    found = {}
    for path in (ROOT / 'mmtmix').rglob('*.py'):
        lines = found.setdefault(path.relative_to(ROOT / 'mmtmix').as_posix(), [])
        tree = list(ast.walk(ast.parse(path.read_text(encoding='utf-8'))))
        docstrings = {id(node.value) for node in tree if isinstance(node, ast.Expr)}
        for node in tree:
            text = text_of(node)
            if text and id(node) not in docstrings:
                lines.append(' '.join(text.split()))
    return found


def text_of(node):
    """Return the text of an expression, with a mark for what varies; None for no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return ''.join(text_of(part) or '\0' for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [text_of(node.left), text_of(node.right)]
        return ''.join(part or '\0' for part in parts) if any(parts) else None
    return None


def pattern_of(heading):
    """Return an expression that finds a message by its heading."""
    parts = [re.escape(part.strip()) for part in heading.split('...') if part.strip()]
    return re.compile('.*'.join(parts), re.DOTALL)


def sources_of(heading):
    """Return the files of ours that hold a message."""
    pattern = pattern_of(heading)
    return {file for file, lines in texts().items() if any(map(pattern.search, lines))}


@pytest.mark.parametrize('heading', [heading for heading, _ in entries(OURS)])
def test_a_message_of_ours_is_in_the_sources(heading):
    assert sources_of(heading), f'no source has the message {heading!r}'


def test_every_family_of_messages_has_an_entry():
    covered = set().union(*(sources_of(heading) for heading, _ in entries(OURS)))
    assert not [file for file in FAMILIES if file not in covered]
    assert not [file for file in FAMILIES if file not in texts()]


def test_a_quoted_message_is_in_its_file():
    quoted = 0
    for heading, body in entries(HOSTS):
        for name in QUOTED.findall(body):
            package, _, inner = name.partition('/')
            spec = importlib.util.find_spec(package)
            path = Path(spec.submodule_search_locations[0], inner)
            text = ' '.join(re.sub(r"['\"]\s*\n\s*f?['\"]", '', path.read_text()).split())
            assert pattern_of(heading).search(text), (heading, name)
            quoted += 1
    assert quoted == HOSTS.count('Quoted from') > 0


def test_entries_are_as_a_reader_expects_them():
    found = entries(PAGE)
    assert len(found) == PAGE.count('\n### ') >= 50
    assert len({heading for heading, _ in found}) == len(found)
    for heading, body in found:
        assert len(heading.replace('...', '').strip()) >= 10, heading
        cured = '**Cure:**' in body or 'harmless' in body or 'most frequent' in body
        assert cured or 'Our tools take' in body, heading
