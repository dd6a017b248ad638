"""Variants: settings that a config declares with the values that it allows.

A config declares them with :func:`variant`. :func:`mmtmix.utils.load_config` reads a config with
chosen values, ``Config.fromfile`` of MMEngine with the defaults. Variants of a required config are
variants of the config that requires it, too.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from mmtmix.checks import check_choice, check_text

KINDS = (str, int, float, bool)

# values that a folder's name may have as they are
_PLAIN = re.compile(r'[\w.+-]{1,40}')
_FLAGS = {'True': True, 'true': True, 'False': False, 'false': False}


@dataclass(frozen=True)
class Variant:
    """A setting that a config declares, with the value that was chosen.

    Attributes:
        name: Name in capitals, such as ``'PAIR'``.
        values: Allowed values, the default first; only the default for an open variant.
        kind: Type of the values of an open variant; None where only ``values`` are allowed.
        chosen: Value that the config is read with.
    """

    name: str
    values: tuple[Any, ...]
    kind: type | None = None
    chosen: Any = None

    @property
    def is_default(self) -> bool:
        """Whether the default was chosen."""
        return str(self.chosen) == str(self.values[0])

    @property
    def described(self) -> str:
        """Allowed values, as text."""
        if self.kind is not None:
            return f'{self.name}: any {self.kind.__name__} (default: {self.values[0]})'
        return f'{self.name}: {", ".join(map(str, self.values))}'


@dataclass
class Choice:
    """Values that were chosen for a config that is being read, and its declarations so far.

    Attributes:
        wanted: Chosen values, as texts, by name.
        is_strict: Whether every name must be declared. It is False for a required config, which
            need not declare all variants of the config that requires it.
        declared: Variants that the config declares, by name, in the order of declaration.
        required: Path and variants of each required config, without the variants that got a value
            in ``stage(...)``.
        cache: Variants of the configs that were read, by path and choice.
    """

    wanted: Mapping[str, str]
    is_strict: bool = True
    declared: dict[str, Variant] = field(default_factory=dict)
    required: list[tuple[str, dict[str, Variant]]] = field(default_factory=list)
    cache: dict[Any, dict[str, Variant]] = field(default_factory=dict)

    def declare(self, name: str, values: tuple[Any, ...], kind: type | None) -> Any:
        """Register a variant and return its value.

        Raises:
            ValueError: If it was declared differently before, or the value is not allowed.
        """
        chosen = values[0]
        if name in self.wanted:
            chosen = _match(name, self.wanted[name], values, kind)
        found = Variant(name, values, kind, chosen)
        before = self.declared.setdefault(name, found)
        if repr(before) != repr(found):
            raise ValueError(
                f'variant {name} is declared twice, with {before.values} and with {values}; '
                'declare it once, or alike'
            )
        return chosen

    @property
    def variants(self) -> dict[str, Variant]:
        """Variants of the config and of those that it requires."""
        found = dict(self.declared)
        for _, theirs in self.required:
            found |= {name: each for name, each in theirs.items() if name not in found}
        return found

    def check(self) -> None:
        """Refuse names that no config declares, and required configs with other defaults.

        Raises:
            ValueError: If there is one.
        """
        own = self.variants
        if self.is_strict:
            for name in self.wanted:
                if name not in own:
                    raise ValueError(_unknown(name, own))
        for config, variants in self.required:
            for name, other in variants.items():
                if str(own[name].chosen) != str(other.chosen):
                    raise ValueError(
                        f'variant {name} is {own[name].chosen} here and {other.chosen} in '
                        f'{config}, which this config requires; give both the same default, or '
                        f'stage(..., {name}=...) a value'
                    )


_CHOICE: ContextVar[Choice | None] = ContextVar('choice', default=None)


def variant(name: str, *values: Any, kind: type | None = None) -> Any:
    """Declare a variant in a config, below ``_base_``, and return the value that was chosen.

    >>> variant('NUM_IMAGES', 1000, 5000, 20000)
    1000

    Args:
        name: Name in capitals, as on a command line: ``--variant NUM_IMAGES=5000``.
        values: Allowed values, the default first; with ``kind`` only the default. They keep their
            types, since a text from a command line is compared with ``str(value)``.
        kind: Type of the values of an open variant: ``str``, ``int``, ``float`` or ``bool``.

    Returns:
        The default, unless :func:`mmtmix.utils.load_config` was given another value.

    Raises:
        TypeError: If the name is no text.
        ValueError: If the declaration is malformed, or another value was chosen than is allowed.
    """
    check_text('variant', name)
    if not re.fullmatch(r'[A-Z][A-Z0-9_]*', name):
        raise ValueError(f'variant must be a name in capitals such as NUM_IMAGES, got {name!r}')
    if kind is not None:
        check_choice(f'kind of variant {name}', kind, KINDS)
        if len(values) != 1:
            raise ValueError(f'variant {name} with a kind needs one default, got {values}')
    elif len(set(map(str, values))) != len(values) or len(values) < 2:
        raise ValueError(
            f'variant {name} needs two or more different values, the default first, got '
            f'{values}; kind=str, int, float or bool makes it an open one'
        )
    choice = _CHOICE.get()
    return values[0] if choice is None else choice.declare(name, values, kind)


@contextmanager
def choosing(
    variants: Mapping[str, Any] | None = None, is_strict: bool = True
) -> Iterator[Choice]:
    """Choose the variants of the configs that are read inside the block.

    Args:
        variants: Values, or their texts, by name; None for the defaults.
        is_strict: Whether a name that no config declares is refused.

    Raises:
        ValueError: At the end, if the choice doesn't fit the declarations.
    """
    outer = _CHOICE.get()
    wanted = {str(name): str(value) for name, value in (variants or {}).items()}
    choice = Choice(wanted, is_strict, cache={} if outer is None else outer.cache)
    token = _CHOICE.set(choice)
    try:
        yield choice
    finally:
        _CHOICE.reset(token)
    choice.check()


def current_choice() -> Choice | None:
    """Return the choice for the config that is being read; None outside of :func:`choosing`."""
    return _CHOICE.get()


def parse_variants(texts: Sequence[str]) -> dict[str, str]:
    """Return variants by name, from texts such as ``NUM_IMAGES=5000``.

    Args:
        texts: Words of a command line.

    Raises:
        ValueError: If a text is malformed, or a name has two values.
    """
    variants: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition('=')
        if not separator or not name:
            raise ValueError(f'a variant must be NAME=VALUE, got {text!r}')
        if variants.setdefault(name, value) != value:
            raise ValueError(f'variant {name} is given twice, as {variants[name]} and {value}')
    return variants


def label_of(variants: Mapping[str, Any]) -> str:
    """Return variants as part of the name of a folder, such as ``ABLATION=mask_only,NET=wrn16_2``.

    A digest replaces a value that is long or no plain word, such as a path.

    Args:
        variants: Values by name.
    """
    words = []
    for name, value in variants.items():
        text = str(value)
        if not _PLAIN.fullmatch(text):
            text = hashlib.sha256(text.encode()).hexdigest()[:8]
        words.append(f'{name}={text}')
    return ','.join(words)


def variant_words(variants: Mapping[str, Any]) -> list[str]:
    """Return variants as words of a command line, ``--variant NAME=VALUE ...``; no words for none.

    Args:
        variants: Values by name.
    """
    words = [f'{name}={value}' for name, value in variants.items()]
    return ['--variant', *words] if words else []


def not_default(declared: Mapping[str, Variant]) -> dict[str, Any]:
    """Return the chosen values that are no defaults, in the order of declaration.

    Args:
        declared: Variants by name.
    """
    return {name: each.chosen for name, each in declared.items() if not each.is_default}


def _match(name: str, text: str, values: tuple[Any, ...], kind: type | None) -> Any:
    """Return the allowed value whose text was given."""
    found = [value for value in values if str(value) == text]
    if found:
        return found[0]
    if kind is None:
        raise ValueError(
            f'variant {name} must be one of {", ".join(map(str, values))}; got {text}'
        )
    try:
        return _FLAGS[text] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise ValueError(f'variant {name} must be of type {kind.__name__}, got {text}') from None


def _unknown(name: str, declared: Mapping[str, Variant]) -> str:
    if not declared:
        return f'there is no variant {name}: the config declares none'
    close = difflib.get_close_matches(name, declared, 1)
    hint = f'; did you mean {close[0]}?' if close else ';'
    allowed = '; '.join(each.described for each in declared.values())
    return f'there is no variant {name}{hint} the config declares {allowed}'
