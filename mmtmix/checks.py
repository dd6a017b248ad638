"""Checks of arguments, for every constructor, function and tool of this library.

A check returns nothing. It raises a ``TypeError`` for a value of another kind and a ``ValueError``
for a value out of range. The message names the argument, what it must be, and the value.

All checks take the ``name`` of the argument, its ``value``, and ``cure``: advice for the end of
the message, needed where the message alone does not show what to do.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from inspect import Parameter, signature
from numbers import Integral, Real
from typing import Any

_BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def check_number(
    name: str,
    value: Any,
    least: float | None = None,
    most: float | None = None,
    *,
    above: float | None = None,
    below: float | None = None,
    cure: str = '',
) -> None:
    """Refuse what is not a finite number in a range.

    Args:
        name: Name of the argument.
        value: Value of the argument.
        least: Smallest value allowed.
        most: Largest value allowed.
        above: Value that it must exceed.
        below: Value that it must stay under.
        cure: Advice for the end of the message; needed where the range does not show it.

    Raises:
        TypeError: If it is not a number; bools and strings are not.
        ValueError: If it is NaN, infinite or out of the range.
    """
    wanted = f'a finite number{_range(least, most, above, below)}'
    if not _is_a(Real, value):
        raise TypeError(_message(name, wanted, value, cure))
    if not _is_finite(value) or not _is_inside(value, least, most, above, below):
        raise ValueError(_message(name, wanted, value, cure))


def check_integer(
    name: str, value: Any, least: int | None = None, most: int | None = None, *, cure: str = ''
) -> None:
    """Refuse what is not an integer in a range.

    Args:
        name: Name of the argument.
        value: Value of the argument.
        least: Smallest value allowed.
        most: Largest value allowed.
        cure: Advice for the end of the message.

    Raises:
        TypeError: If it is not an integer; bools, floats and strings are not.
        ValueError: If it is out of the range.
    """
    wanted = f'an integer{_range(least, most)}'
    if not _is_a(Integral, value):
        raise TypeError(_message(name, wanted, value, cure))
    if not _is_inside(value, least, most):
        raise ValueError(_message(name, wanted, value, cure))


def check_flag(name: str, value: Any, *, cure: str = '') -> None:
    """Refuse what is neither True nor False, such as ``'no'`` or 0.

    Raises:
        TypeError: If it is not a bool.
    """
    if not isinstance(value, bool):
        raise TypeError(_message(name, 'True or False', value, cure))


def check_choice(name: str, value: Any, choices: Collection[Any], *, cure: str = '') -> None:
    """Refuse a value that is not among the choices; the message suggests a close one.

    Raises:
        ValueError: If the value is not among them.
    """
    # `in` compares True with 1 and fails on what has no hash
    if any(type(value) is type(choice) and value == choice for choice in choices):
        return
    names = [choice for choice in choices if isinstance(choice, str)]
    close = difflib.get_close_matches(value, names, 1) if isinstance(value, str) else []
    cure = cure or (f'did you mean {close[0]!r}?' if close else '')
    raise ValueError(_message(name, f'one of {", ".join(map(repr, choices))}', value, cure))


def check_numbers(
    name: str,
    values: Any,
    count: int | None = None,
    least: float | None = None,
    most: float | None = None,
    *,
    above: float | None = None,
    ordered: bool = False,
    whole: bool = False,
    cure: str = '',
) -> None:
    """Refuse what is not a list or tuple of finite numbers in a range.

    Args:
        name: Name of the argument.
        values: Value of the argument.
        count: Number of values that there must be; any number from 1 if None.
        least: Smallest value allowed for each.
        most: Largest value allowed for each.
        above: Value that each must exceed.
        ordered: Whether none may be smaller than the one before it, as the ends of a range.
        whole: Whether they must be integers.
        cure: Advice for the end of the message.

    Raises:
        TypeError: If it is not a list or tuple, or holds something else than numbers.
        ValueError: If there are not as many, or one is NaN, infinite or out of the range, or the
            order is wrong.
    """
    many, kind = 'a list of' if count is None else str(count), Integral if whole else Real
    wanted = f'{many} {"integers" if whole else "finite numbers"}{_range(least, most, above)}'
    wanted += ', in rising order' if ordered else ''
    is_list = isinstance(values, Sequence) and not isinstance(values, (str, bytes))
    if not is_list or not all(_is_a(kind, value) for value in values):
        raise TypeError(_message(name, wanted, values, cure))
    fits = len(values) == count if count is not None else len(values) > 0
    inside = all(_is_finite(v) and _is_inside(v, least, most, above) for v in values)
    if not fits or not inside or (ordered and list(values) != sorted(values)):
        raise ValueError(_message(name, wanted, values, cure))


def check_text(name: str, value: Any, *, cure: str = '') -> None:
    """Refuse what is not a string with something in it.

    Raises:
        TypeError: If it is not a string.
        ValueError: If it is empty or blank.
    """
    if not isinstance(value, str):
        raise TypeError(_message(name, 'a string', value, cure))
    if not value.strip():
        raise ValueError(_message(name, 'a string with something in it', value, cure))


def check_path(name: str, value: Any, *, cure: str = '') -> None:
    """Refuse what is not a path; it need not exist.

    Raises:
        TypeError: If it is neither a string nor a path.
        ValueError: If it is empty.
    """
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(_message(name, 'a path', value, cure))
    if not str(value).strip():
        raise ValueError(_message(name, 'a path', value, cure))


def check_file_name(name: str, value: Any, *, cure: str = '') -> None:
    """Refuse what is not the name of a file within a folder that something else chooses.

    Raises:
        TypeError: If it is not a string.
        ValueError: If it is empty, names a folder, or has one before it.
    """
    check_text(name, value, cure=cure)
    if value in ('.', '..') or os.path.basename(value) != value or '\\' in value:
        raise ValueError(_message(name, 'the name of a file without a folder', value, cure))


def check_instance(
    name: str, value: Any, kinds: type | tuple[type, ...], wanted: str, *, cure: str = ''
) -> None:
    """Refuse what is not of a class.

    Args:
        name: Name of the argument.
        value: Value of the argument.
        kinds: One class or several.
        wanted: Kind that it must be, in words with their article, such as ``'a torch.nn.Module'``.
        cure: Advice for the end of the message.

    Raises:
        TypeError: If it is of none of the classes.
    """
    if not isinstance(value, kinds):
        raise TypeError(_message(name, wanted, value, cure))


def check_keys(name: str, value: Any, allowed: Iterable[str], *, cure: str = '') -> None:
    """Refuse what is not a dict with allowed keys alone; the message suggests a close key.

    Raises:
        TypeError: If it is not a dict, or a key is unknown.
    """
    allowed = list(allowed)
    check_instance(name, value, dict, 'a dict', cure=cure)
    for key in value:
        if key not in allowed:
            close = difflib.get_close_matches(str(key), allowed, 1)
            hint = cure or (f'did you mean {close[0]!r}?' if close else f'it has {allowed}')
            raise TypeError(f'{name} has no {key!r}; {hint}')


def check_arguments(name: str, given: Any, *takers: Callable) -> None:
    """Refuse a dict with an argument that none of several callables takes.

    Args:
        name: Name in the error: of the dict, or of the callable that takes its entries.
        given: Arguments by name.
        takers: Callables that take them. A single one with ``**kwargs`` takes any.

    Raises:
        TypeError: If it is not a dict, or an argument is unknown.
    """
    parameters = [one for taker in takers for one in signature(taker).parameters.values()]
    allowed = [one.name for one in parameters if one.kind in _BY_NAME]
    takes_any = len(takers) == 1 and any(one.kind is Parameter.VAR_KEYWORD for one in parameters)
    check_keys(name, given, [*allowed, *given] if takes_any else allowed)


def _is_a(kind: type, value: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _is_finite(value: Any) -> bool:
    # not by math.isfinite, which breaks the graph of a compiled model; NaN compares as false
    return -math.inf < value < math.inf


def _is_inside(
    value: Any,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> bool:
    return (
        (least is None or value >= least)
        and (most is None or value <= most)
        and (above is None or value > above)
        and (below is None or value < below)
    )


def _range(
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> str:
    if least is not None and least == most:
        return f' equal to {least}'
    bounds = (('>=', least), ('>', above), ('<=', most), ('<', below))
    text = ' and '.join(f'{sign} {bound}' for sign, bound in bounds if bound is not None)
    return f' {text}' if text else ''


def _message(name: str, wanted: str, value: Any, cure: str) -> str:
    end = f'; {cure}' if cure else ''
    return f'{name} must be {wanted}, got {_show(value)}{end}'


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f'{text[:200]}...'
