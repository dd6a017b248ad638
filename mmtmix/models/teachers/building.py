"""Build the teacher of a config's argument, or share one that another augment has built."""

from __future__ import annotations

import inspect
import os
import weakref
from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

import torch
from mmengine.logging import MessageHub
from torch import nn

from mmtmix.checks import check_arguments

from .frozen_teacher import FrozenTeacher
from .input_stats import InputStats
from .options import check_options, check_source

_TEACHERS: WeakValueDictionary[tuple, FrozenTeacher] = WeakValueDictionary()


def check_teacher(teacher: dict | FrozenTeacher) -> None:
    """Check a teacher as far as possible without reading its files.

    Code that needs a teacher only in training calls this first, and :func:`build_teacher` when
    training begins. A classifier can then be built for inference where the files are missing.

    Args:
        teacher: Argument of :func:`build_teacher`.

    Raises:
        TypeError: If it is neither a dict nor a teacher, or an argument is unknown.
        ValueError: If ``config`` or ``checkpoint``, or the normalisation of ``model``, is missing,
            or an option is unknown.
    """
    if isinstance(teacher, FrozenTeacher):
        return
    if not isinstance(teacher, Mapping):
        raise TypeError(
            'teacher must be dict(config=..., checkpoint=...), dict(model=..., mean=..., '
            f'std=...) or a FrozenTeacher, got {teacher!r}'
        )
    check_arguments('teacher', dict(teacher), FrozenTeacher)
    given = inspect.signature(FrozenTeacher).bind(**teacher)
    given.apply_defaults()
    options = given.arguments
    for check in (check_source, check_options):
        check(**{name: options[name] for name in inspect.signature(check).parameters})
    if options['input_stats'] is not None:
        InputStats.from_dict(options['input_stats'])


def build_teacher(teacher: dict | FrozenTeacher) -> FrozenTeacher:
    """Return the teacher of a config's argument.

    Equal arguments in one run give one teacher. There is one copy in memory, for as long as one
    part of the run uses it.

    Args:
        teacher: Arguments of :class:`FrozenTeacher`, or a teacher, which is returned.

    Raises:
        FileNotFoundError: If its files do not exist.
        TypeError: If it is neither a dict nor a teacher, or an argument is unknown.
        ValueError: If ``config`` or ``checkpoint`` is missing or doesn't fit.
    """
    check_teacher(teacher)
    if isinstance(teacher, FrozenTeacher):
        return teacher
    key = _identity(teacher)
    found = _TEACHERS.get(key)
    if found is None:
        # tensors that are made in inference mode could not serve gradients later
        with torch.inference_mode(False):
            found = _TEACHERS[key] = FrozenTeacher(**teacher)
    return found


def _identity(teacher: Mapping) -> tuple:
    """Return a key that equal teachers share."""
    # another run may write the files anew, and may change its teacher
    run = MessageHub.get_current_instance().instance_name
    files = [_version(teacher.get(name)) for name in ('config', 'checkpoint')]
    options = dict(teacher)
    # by identity, since other models have the same printed form
    model = options.pop('model', None)
    state = None if model is None else (weakref.ref(model), _training_state(model))
    return repr((run, files, sorted(options.items()))), state


def _training_state(model: nn.Module) -> tuple[int, ...]:
    """Return counters that every change of a weight raises, since a teacher is a copy."""
    values = (*model.parameters(), *model.buffers())
    # weights made in inference mode have no counter
    return tuple(0 if value.is_inference() else value._version for value in values)


def _version(file: Any) -> tuple[int, int] | None:
    """Return modification time and size of a file; None for other values."""
    try:
        status = os.stat(file)
    except (OSError, TypeError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size
