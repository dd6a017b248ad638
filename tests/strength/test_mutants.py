"""What the mutation tests change, and which mutants they leave out."""

import ast
import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]


@pytest.fixture
def load(monkeypatch):
    """Import a script of this folder, as it imports its neighbours."""
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module


SOURCE = '''
from functools import cached_property, lru_cache

def double(function):
    return lambda *args: 2 * function(*args)

def add(amount):
    return lambda function: lambda *args: amount + function(*args)

class Number:
    @add(
        1
    )
    @double
    def inner_first(self, value):
        return value

    @cached_property
    def cached(self):
        return object()

    @property
    def stored(self):
        return self._stored

    @stored.setter
    def stored(self, value):
        self._stored = value

    @staticmethod
    def plain():
        return 3

@lru_cache(maxsize=None)
def cached():
    """Return a new object."""
    return object()
'''


def test_undecorated_sources_do_the_same(load):
    text = load('plain_functions').undecorate(SOURCE)
    decorated = {
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.decorator_list
    }
    assert decorated == {'stored', 'plain'}
    for source in (SOURCE, text):
        names = {}
        exec(source, names)
        number = names['Number']()
        number.stored = 5
        assert (number.inner_first(4), number.stored, number.plain()) == (9, 5, 3)
        assert number.cached is number.cached
        assert names['cached']() is names['cached']()


def test_every_source_can_be_undecorated(load):
    report, plain = load('mutant_report'), load('plain_functions')
    for folder, tests in report.FOLDERS.items():
        assert (ROOT / tests).is_dir()
        for path in (ROOT / 'mmtmix' / folder).rglob('*.py'):
            compile(plain.undecorate(path.read_text()), path.name, 'exec')


@pytest.mark.parametrize(
    ('before', 'after', 'is_text'),
    [
        ("raise ValueError(f'got {x}')", 'raise ValueError(None)', True),
        ("raise ValueError('no')", "raise TypeError('no')", False),
        ("check_number('x', x, 1)", "check_number('XXxXX', x, 1)", True),
        ("check_number('x', x, 1)", "check_number('x', x, 2)", False),
        ("check_number('x', x, cure='a')", "check_number('x', x, cure='b')", True),
        ("warnings.warn('a')", 'warnings.warn(None)', True),
        ("y = x['a']", "y = x['XXaXX']", False),
    ],
)
def test_mutants_of_texts_are_left_out(load, before, after, is_text):
    skeletons = {
        load('mutant_report')._skeleton(ast.parse(f'def {name}(x):\n    {body}').body[0])
        for name, body in (('one', before), ('other', after))
    }
    assert (len(skeletons) == 1) == is_text


def test_equivalent_mutants_have_reasons(load):
    equivalence = load('equivalent_mutants').equivalence
    known = [
        ('any.x_f', 'zip(a, b, strict=True)', 'zip(a, b, )'),
        ('any.x_f', 'x.to(d, non_blocking=True)', 'x.to(d, non_blocking=False)'),
        ('mmtmix.functional.masks.x__steps', '', '(2 ** (DIGITS * BITS) + 1)'),
    ]
    assert all(equivalence(*mutant) for mutant in known)
    unknown = [
        ('any.x_f', 'zip(a, b, strict=True)', 'zip(a, None, strict=True)'),
        ('any.x_f', 'x.to(d, non_blocking=True)', 'x.to(non_blocking=True)'),
        ('mmtmix.functional.masks.x_steps', '', '(2 ** (DIGITS * BITS) + 1)'),
    ]
    assert not any(equivalence(*mutant) for mutant in unknown)
