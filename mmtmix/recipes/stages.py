"""Runs that a config requires, and the teachers that come from them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mmtmix.utils.config import required_variants
from mmtmix.utils.variants import not_default
from mmtmix.utils.work_dirs import folder_of


def stage(config: str, produces: str, **variants: Any) -> dict[str, Any]:
    """Return an entry of ``requires``: another run whose file a config uses.

    The other config's variants are variants of this one, too. A value that is chosen for this one
    holds for both.

    >>> stage('configs/simple/wrn28_cifar100.py', 'last.pth')['produces']
    'work_dirs/simple/wrn28_cifar100/last.pth'

    Args:
        config: Path of the other config.
        produces: Name of the file in its work dir.
        variants: Fixed values of the other config's variants, by name.

    Returns:
        ``dict(config=..., produces=...)`` with the file in the default work dir of the other
        config. ``variants`` holds the values that are not defaults.

    Raises:
        FileNotFoundError: If there is no such config.
        ValueError: If it does not declare a variant, or doesn't allow the value.
    """
    chosen = not_default(required_variants(config, variants))
    entry: dict[str, Any] = dict(
        config=config, produces=os.path.join(folder_of(config, chosen), produces)
    )
    return entry | dict(variants=chosen) if chosen else entry


def teacher_from(run: Mapping[str, Any], **settings: Any) -> dict[str, Any]:
    """Return the settings of a teacher that a required run trains.

    Args:
        run: Entry of ``requires``, from :func:`stage`.
        settings: Further arguments of :class:`mmtmix.models.FrozenTeacher`.

    Returns:
        ``dict(config=..., checkpoint=..., **settings)``, with the run's variants if it has some.
    """
    named = dict(config=run['config'], checkpoint=run['produces'])
    if run.get('variants'):
        named['variants'] = dict(run['variants'])
    return named | settings
