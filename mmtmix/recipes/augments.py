"""Batch augments that use the files of required runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mmtmix.checks import (
    check_arguments,
    check_choice,
    check_instance,
    check_integer,
    check_keys,
    check_number,
    check_text,
)
from mmtmix.functional import SUPERMIX_PAPER, SuperMixSettings
from mmtmix.models import SuperMix, TransformMix
from mmtmix.utils import is_shipped, shipped_file

from .stages import teacher_from

SOLVERS = ('fast', 'paper')
RUN_KEYS = ('config', 'produces', 'variants')


def transformmix(
    search: Mapping[str, Any] | str,
    teacher: Mapping[str, Any],
    num_mix: int = 2,
    alpha: float = 1.0,
    **settings: Any,
) -> dict[str, Any]:
    """Return the config of a TransformMix with a searched mixing module.

    >>> search = stage('configs/transformmix/search_wrn28_cifar100.py', 'mixer.pth')
    >>> teacher = stage('configs/simple/wrn28_cifar100.py', 'last.pth')
    >>> model = dict(train_cfg=dict(augments=transformmix(search, teacher)))

    Args:
        search: Entry of ``requires`` that produces the mixing module, from :func:`stage`; or
            ``'mmtmix://fashionmnist_k2'`` for a module that comes with the package.
        teacher: Entry of ``requires`` that trains the teacher, or its settings from
            :func:`teacher_from`.
        num_mix: Number of images per mix, >= 2.
        alpha: Parameter of the Dirichlet distribution of weights, > 0.
        settings: Further arguments of :class:`mmtmix.models.TransformMix`.

    Returns:
        ``dict(type='TransformMix', ...)`` for ``model.train_cfg.augments``.

    Raises:
        TypeError: If an argument is of another type, or unknown.
        ValueError: If an argument is out of range, a run produces another file, or the package
            has no module of that name.
    """
    check_integer('num_mix', num_mix, 2)
    check_number('alpha', alpha, above=0)
    check_arguments('transformmix', settings, TransformMix)
    if isinstance(search, str) and is_shipped(search):
        shipped_file(search)  # refuses an unknown name
        mixer = search
    else:
        mixer = product_of('search', search, '.pth')
    named = settings_of(teacher)
    mix = dict(type='TransformMix', mixer=mixer, teacher=named, num_mix=num_mix, alpha=alpha)
    return mix | settings


def supermix(
    teacher: Mapping[str, Any], num_mix: int = 2, solver: str = 'fast', **settings: Any
) -> dict[str, Any]:
    """Return the config of a SuperMix with a trained teacher.

    >>> fast = supermix(teacher)
    >>> published = supermix(teacher, min_iters=1, solver='paper')

    Args:
        teacher: Entry of ``requires`` that trains the teacher, or its settings from
            :func:`teacher_from`.
        num_mix: Number of images per mix, >= 2.
        solver: Name of the solver, ``'fast'``, the augment's defaults, or ``'paper'``, which
            names the paper's values: constant masks at the start, its sparsity, 50 steps.
        settings: Further arguments of :class:`mmtmix.models.SuperMix`.

    Returns:
        ``dict(type='SuperMix', ...)`` for ``model.train_cfg.augments``.

    Raises:
        TypeError: If an argument is of another type, or unknown.
        ValueError: If an argument is out of range, or the run produces another file.
    """
    check_integer('num_mix', num_mix, 2)
    check_choice('solver', solver, SOLVERS)
    check_arguments('supermix', settings, SuperMix, SuperMixSettings)
    chosen = SUPERMIX_PAPER if solver == 'paper' else {}
    mix = dict(type='SuperMix', teacher=settings_of(teacher), num_mix=num_mix)
    return mix | chosen | settings


def settings_of(teacher: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a teacher that is given as a run or by its settings.

    Args:
        teacher: Entry of ``requires``, or ``dict(config=..., checkpoint=...)``.

    Returns:
        Arguments of :class:`mmtmix.models.FrozenTeacher`.

    Raises:
        TypeError: If `teacher` is neither.
        ValueError: If the run produces no checkpoint.
    """
    if isinstance(teacher, Mapping) and 'checkpoint' in teacher:
        return dict(teacher)
    product_of('teacher', teacher, '.pth')
    return teacher_from(teacher)


def product_of(name: str, run: Any, suffix: str) -> str:
    """Return the path of the file that a required run produces.

    Args:
        name: Name of the argument that holds the run, for errors.
        run: Entry of ``requires``.
        suffix: End of the file's name, such as ``'.pth'``.

    Returns:
        The path, as ``run['produces']`` has it.

    Raises:
        TypeError: If `run` is no entry of ``requires``.
        ValueError: If the file's name ends differently.
    """
    cure = "make it by stage('configs/...', 'last.pth')"
    if name == 'teacher':
        cure += ', or give dict(config=..., checkpoint=...)'
    check_instance(name, run, Mapping, 'an entry of `requires`', cure=cure)
    check_keys(name, dict(run), RUN_KEYS, cure=cure)
    check_text(f"{name}['produces']", run.get('produces'), cure=cure)
    end = os.path.splitext(run['produces'])[1]
    check_choice(f"the suffix of {name}['produces']", end, (suffix,))
    return run['produces']
