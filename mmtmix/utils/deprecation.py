"""Names that changed: the old ones keep working, with one note per process."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log

_noted: set[tuple[str, str]] = set()


def current_value(name: str, value: Any, renamed: Mapping[str, str]) -> Any:
    """Return the present name of an option's value; log a note at the first use of an old one.

    Args:
        name: Name of the option with its owner, such as ``'labels of SuperMix'``.
        value: Value of the option; one that is not in ``renamed`` is returned as it is.
        renamed: Present names by old name.
    """
    if not isinstance(value, str) or value not in renamed:
        return value
    present = renamed[value]
    if (name, value) not in _noted:
        _noted.add((name, value))
        print_log(
            f'{name}: {value!r} is deprecated, use {present!r}; both do the same',
            logger='current',
            level=logging.WARNING,
        )
    return present
