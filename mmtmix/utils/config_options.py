"""Options of the command line that change a config: ``--cfg-options NAME=VALUE ...``."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config, DictAction

from mmtmix.checks import check_instance


def parse_options(words: Sequence[str]) -> dict[str, Any]:
    """Return the overrides of a config by MMEngine's rules.

    Args:
        words: Texts such as ``'train_cfg.max_epochs=2'``.
    """
    parser = argparse.ArgumentParser(exit_on_error=False)
    parser.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    return parser.parse_args(['--cfg-options', *words]).cfg_options


def flat_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return overrides by their names with dots, from dicts that may be nested.

    Args:
        options: Values by name, such as ``{'generation': {'num': 100}}``.

    Raises:
        TypeError: If it is no dict.
    """
    check_instance('options', options, Mapping, 'a dict of fields')
    flat: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, Mapping) and value:
            flat |= {f'{name}.{inner}': each for inner, each in flat_options(value).items()}
        else:
            flat[str(name)] = value
    return dict(sorted(flat.items()))


def option_words(options: Mapping[str, Any]) -> list[str]:
    """Return overrides as words of a command line, ``--cfg-options NAME=VALUE ...``.

    Args:
        options: Values by names with dots, which :func:`parse_options` reads back.

    Returns:
        The words; none for no options.
    """
    words = [f'{name}={value}' for name, value in options.items()]
    return ['--cfg-options', *words] if words else []


def misspelt_options(cfg: Config, cfg_options: Mapping[str, Any]) -> Iterator[str]:
    """Yield a warning for each option that names nothing, if the config has a similar name.

    Args:
        cfg: Config, before the options are merged into it.
        cfg_options: Values by names with dots, such as ``optim_wrapper.optimizer.lr``.
    """
    for option, value in cfg_options.items():
        there: Any = cfg
        for key in str(option).split('.'):
            if isinstance(there, (list, tuple)) and key.isdigit() and int(key) < len(there):
                there = there[int(key)]
                continue
            if not isinstance(there, (Mapping, Config)):
                break  # a new branch, or a list, which merging checks
            if key not in there:
                close = difflib.get_close_matches(key, list(there.keys()), 1, cutoff=0.75)
                if close:
                    yield (
                        f'--cfg-options {option}={value!r}: the config has no {key!r} there, and '
                        f'it was added; did you mean {close[0]!r}?'
                    )
                break
            there = there[key]
