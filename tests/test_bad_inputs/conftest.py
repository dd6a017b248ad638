"""Bad values for every argument, made from signatures."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from mmtmix.models import FrozenTeacher

NUMBER = [(math.nan, ValueError), (math.inf, ValueError), (-math.inf, ValueError)]
NUMBER += [(-7.0, ValueError), ('0.5', TypeError), (True, TypeError), ([0.5], TypeError)]
INTEGER = [(-7, ValueError), (math.nan, TypeError), (math.inf, TypeError), (2.5, TypeError)]
INTEGER += [('3', TypeError), (True, TypeError), ([2], TypeError)]
FLAG = [('no', TypeError), (0, TypeError), (1, TypeError), (None, TypeError)]
CHOICE = [('nonesuch', ValueError), ('', ValueError), (77, ValueError), (True, ValueError)]
TEXT = [('', ValueError), (' ', ValueError), (3, TypeError), (True, TypeError)]
PATH = [('', ValueError), (3, TypeError), (['a'], TypeError)]
TEACHER = [(3, TypeError), ('last.pth', TypeError), (dict(confg='a.py'), TypeError)]
TEACHER += [(dict(config='a.py'), ValueError), ({}, ValueError)]

BY_ANNOTATION: dict[str, list[tuple[Any, type[Exception]]]] = {
    'float': NUMBER,
    'int': INTEGER,
    'bool': FLAG,
    'str': CHOICE,
    'str | os.PathLike': PATH,
    'dict | FrozenTeacher': TEACHER,
    'Sequence[float]': [((0.5, math.nan), ValueError), ((), ValueError), ('ab', TypeError)],
}


def _bad_arguments(
    subject: Callable, choices: Collection[str], texts: Collection[str]
) -> Iterator[tuple[str, Any, type[Exception]]]:
    """Yield name, bad value and expected error for each argument whose annotation says enough."""
    for name, parameter in inspect.signature(subject).parameters.items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        annotation = str(parameter.annotation)
        is_optional = annotation.endswith(' | None')
        values = BY_ANNOTATION.get(annotation.removesuffix(' | None'), [])
        if name in choices:
            values = [(value, ValueError) for value, _ in values] + CHOICE
        elif name in texts:
            values = TEXT
        elif values and not is_optional and annotation != 'bool':
            values = [*values, (None, ValueError if values is CHOICE else TypeError)]
        for value, error in values:
            yield name, value, error


@pytest.fixture
def count_refused(record_property) -> Callable[..., int]:
    """Give bad arguments one at a time, and count those that are refused by name."""

    def count(
        subject: Callable,
        call: Callable[[dict], Any],
        good: dict[str, Any],
        choices: Collection[str] = (),
        texts: Collection[str] = (),
        left_out: Collection[str] = (),
    ) -> int:
        """Count what is refused.

        Args:
            subject: Class or function, whose signature is read.
            call: Called with all arguments, of which one is bad.
            good: Arguments that are taken.
            choices: Names of numbers that only few values are allowed for.
            texts: Names of strings that can be anything but empty.
            left_out: Names that the host, or another table, looks at.
        """
        passed, number = [], 0
        for name, value, error in _bad_arguments(subject, choices, texts):
            if name in left_out:
                continue
            number += 1
            try:
                call(good | {name: value})
            except (TypeError, ValueError) as raised:
                if type(raised) is error and name in str(raised):
                    continue
                passed.append(f'{name}={value!r}: {type(raised).__name__}: {raised}')
            except Exception as raised:  # reported with the others
                passed.append(f'{name}={value!r}: {type(raised).__name__}: {raised}')
            else:
                passed.append(f'{name}={value!r} was taken')
        record_property('cases', number)
        assert not passed, '\n'.join(passed)
        return number

    return count


@pytest.fixture(scope='session')
def teacher() -> FrozenTeacher:
    """A teacher of 4 classes, for grey images."""
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 4)
    )
    with torch.random.fork_rng():
        return FrozenTeacher(model=model, mean=0, std=255)
