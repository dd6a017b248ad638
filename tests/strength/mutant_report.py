"""What became of the mutants, by file."""

from __future__ import annotations

import ast
import difflib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from equivalent_mutants import equivalence

ROOT = Path(__file__).parents[2]
FOLDERS = {
    'functional': 'tests/test_functional',
    'models/losses': 'tests/test_models/test_losses',
    'models/mixers': 'tests/test_models/test_mixers',
    'models/augments': 'tests/test_models/test_augments',
}
"""Folders of mmtmix whose sources are changed, and the tests that should notice."""
# of mutmut: exit codes of pytest, of a function that no test reaches, of a CPU limit
KILLED, UNREACHED = (1, 3), (5, 33)
TIMEOUT = (36, 24, -24, 152, 255, -9)


@dataclass(frozen=True)
class Mutant:
    """A planted fault.

    Args:
        name: Name that mutmut gives it.
        folder: Key of ``FOLDERS``.
        file: Its source file.
        change: Lines of a diff, those taken out and those put in.
        is_text: Whether only the text of an error or a warning differs.
        status: ``'killed'``, ``'timeout'``, ``'survived'``, ``'equivalent'``, ``'no test'`` or
            ``'not checked'``.
        reason: Why it is equivalent.
    """

    name: str
    folder: str
    file: str
    change: tuple[str, ...]
    is_text: bool
    status: str
    reason: str = ''


def workspace(folder: str) -> Path:
    """Return where the copy for a folder lies."""
    return ROOT / 'build' / 'mutants' / folder.replace('/', '_')


@cache
def read_mutants(folder: str) -> tuple[Mutant, ...]:
    """Read the mutants of a folder.

    Args:
        folder: A key of ``FOLDERS``.

    Returns:
        All of them, tested or not.
    """
    found = []
    place = workspace(folder) / 'mutants'
    for meta in sorted(place.glob(f'mmtmix/{folder}/**/*.py.meta')):
        codes = json.loads(meta.read_text())['exit_code_by_key']
        if not codes:
            continue
        source = meta.with_suffix('').read_text()
        nodes = {
            node.name: node
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.FunctionDef)
        }
        texts = _plain_texts(source, nodes)
        for name, code in codes.items():
            own = name.rpartition('.')[2]
            original = own.partition('__mutmut_')[0] + '__mutmut_orig'
            change = _change(texts[original], texts[own])
            status, reason = _status(code), ''
            if status in ('survived', 'no test', 'timeout'):
                reason = _reason(name, change)
                status = 'equivalent' if reason else status
            found.append(
                Mutant(
                    name=name,
                    folder=folder,
                    file=str(meta.with_suffix('').relative_to(place)),
                    change=change,
                    is_text=_skeleton(nodes[own]) == _skeleton(nodes[original]),
                    status=status,
                    reason=reason,
                )
            )
    return tuple(found)


def print_report(folders: Sequence[str], to_json: Path | None = None) -> None:
    """Print a table by file and what survived.

    Args:
        folders: Keys of ``FOLDERS``.
        to_json: File for the same figures.
    """
    read_mutants.cache_clear()
    mutants = [mutant for folder in folders for mutant in read_mutants(folder)]
    tried = [m for m in mutants if not m.is_text and m.status != 'not checked']
    by_file: defaultdict[str, Counter] = defaultdict(Counter)
    for mutant in tried:
        by_file[mutant.file][mutant.status] += 1
        by_file['all'][mutant.status] += 1
    print('\n| file | tried | killed | survived | equivalent | killed of the others |')
    print('|---|---|---|---|---|---|')
    figures = {}
    for file in sorted(by_file, key=lambda file: (file == 'all', file)):
        figures[file] = row = _row(by_file[file])
        cells = (file, *(row[key] for key in ('tried', 'killed', 'survived', 'equivalent')))
        print(f'| {" | ".join(map(str, cells))} | {row["share"]:.1%} |')
    for mutant in tried:
        if mutant.status in ('survived', 'no test'):
            print(f'\n{mutant.name} ({mutant.status})', *mutant.change, sep='\n')
    if to_json is not None:
        to_json.write_text(json.dumps(figures, indent=2) + '\n')


def _row(counts: Counter) -> dict[str, float]:
    killed = counts['killed'] + counts['timeout']
    survived = counts['survived'] + counts['no test']
    return dict(
        tried=sum(counts.values()),
        killed=killed,
        survived=survived,
        equivalent=counts['equivalent'],
        share=killed / max(killed + survived, 1),
    )


def _status(code: int | None) -> str:
    if code is None:
        return 'not checked'
    if code == 0:
        return 'survived'
    if code in KILLED:
        return 'killed'
    if code in UNREACHED:
        return 'no test'
    return 'timeout' if code in TIMEOUT else f'exit code {code}'


def _reason(name: str, change: tuple[str, ...]) -> str:
    removed, added = (
        '\n'.join(line[1:] for line in change if line.startswith(sign)) for sign in '-+'
    )
    return equivalence(name.partition('__mutmut_')[0], removed, added)


def _plain_texts(source: str, nodes: dict[str, ast.FunctionDef]) -> dict[str, list[str]]:
    lines = source.split('\n')
    return {name: lines[node.lineno : node.end_lineno] for name, node in nodes.items()}


def _change(before: list[str], after: list[str]) -> tuple[str, ...]:
    diff = difflib.unified_diff(before, after, lineterm='', n=0)
    return tuple(line for line in diff if line[:1] in '+-' and line[:3] not in ('+++', '---'))


def _skeleton(node: ast.FunctionDef) -> str:
    """The code of a function without its name and the texts of errors and warnings."""
    tree = _WithoutTexts().visit(ast.parse(ast.unparse(node)))
    tree.body[0].name = ''
    return ast.dump(tree)


class _WithoutTexts(ast.NodeTransformer):
    def visit_Raise(self, node: ast.Raise) -> ast.Raise:
        kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return ast.Raise(exc=kind, cause=node.cause)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        name = ast.unparse(node.func)
        if name.endswith(('print_log', 'warn', '.warning', '.info')):
            return ast.Call(func=node.func, args=[], keywords=[])
        if name.split('.')[-1].startswith('check_'):
            node.keywords = [word for word in node.keywords if word.arg != 'cure']
            if node.args and _is_text(node.args[0]):
                node.args[0] = ast.Constant('')
        return node


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, (str, type(None)))
    )
