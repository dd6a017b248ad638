"""Distillation: how the students of the papers' pairs are trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmtmix.checks import check_choice, check_flag, check_integer
from mmtmix.engine.distillation import PRESETS
from mmtmix.utils.config import read_base
from mmtmix.utils.variants import variant

from .augments import settings_of
from .offline import mixed_images
from .pairs import PAIRS, pair_names
from .stages import stage

# fields of a student's files that a Runner reads
_PARTS = (
    'model',
    'data_preprocessor',
    'train_dataloader',
    'val_dataloader',
    'test_dataloader',
    'val_evaluator',
    'test_evaluator',
    'optim_wrapper',
    'param_scheduler',
    'train_cfg',
    'val_cfg',
    'test_cfg',
    'auto_scale_lr',
)


def pair_variant(kind: str = 'all') -> str:
    """Declare the variant ``PAIR`` in a config, and return the name that was chosen.

    Args:
        kind: Pairs that are allowed, see :func:`pair_names`.

    Returns:
        The default, unless ``--variant PAIR=...`` names another one.

    Raises:
        ValueError: If there is no such kind, or the chosen pair is not of that kind.
    """
    return variant('PAIR', *pair_names(kind))


def teacher_of(pair: str) -> dict[str, Any]:
    """Return the entry of ``requires`` that trains a pair's teacher.

    Args:
        pair: Name in :data:`PAIRS`.

    Raises:
        ValueError: If there is no such pair.
    """
    check_choice('pair', pair, list(PAIRS))
    return stage(PAIRS[pair].teacher, 'last.pth')


def mixed_set_of(pair: str) -> dict[str, Any]:
    """Return the entry of ``requires`` that generates mixed images with a pair's teacher.

    Args:
        pair: Name in :data:`PAIRS`.

    Raises:
        ValueError: If there is no such pair.
    """
    check_choice('pair', pair, list(PAIRS))
    return stage(PAIRS[pair].mixed_set, 'dataset.json')


def mixes_of(pair: str) -> dict[str, Any]:
    """Return the config of the data set that :func:`mixed_set_of` names, for a second loader.

    Args:
        pair: Name in :data:`PAIRS`.

    Raises:
        ValueError: If there is no such pair.
    """
    return mixed_images(mixed_set_of(pair), mixed_pipeline_of(pair))


def search_of(pair: str) -> dict[str, Any]:
    """Return the entry of ``requires`` that searches a mixing module with a pair's teacher.

    Args:
        pair: Name in ``pair_names('searched')``.

    Raises:
        ValueError: If there is no such pair, or no search with its teacher.
    """
    check_choice('pair', pair, pair_names('searched'))
    search = PAIRS[pair].search
    assert search is not None
    return stage(search, 'mixer.pth')


def student_of(pair: str, mixed: bool = False, warm_up: int | None = None) -> dict[str, Any]:
    """Return what trains a pair's student: network, images, schedule and evaluation.

    In a config, ``globals().update(student_of('vgg13_vgg8'))`` sets ``model``,
    ``train_dataloader``, ``optim_wrapper`` and so on, as a ``_base_`` would.

    Args:
        pair: Name in :data:`PAIRS`.
        mixed: Whether the student learns from mixed images, too, by the schedule for these.
        warm_up: Number of iterations of the warm-up, >= 1, on CIFAR-100 with mixed images; the
            schedule's own if None.

    Returns:
        The parts of a config, by name.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If there is no such pair, or its schedule has no warm-up.
    """
    check_choice('pair', pair, list(PAIRS))
    check_flag('mixed', mixed)
    entry = PAIRS[pair]
    schedule = read_base(f'_base_/schedules/{entry.schedule}.py')
    files = (f'_base_/models/{entry.student}.py', f'_base_/datasets/{entry.dataset}.py')
    content = Config({**read_base(files[0]), **read_base(files[1]), **schedule})
    content.merge_from_dict(dict(entry.changes))
    if mixed:
        content.merge_from_dict(schedule.get('mixed_recipe', {}))
    content.optim_wrapper.optimizer.lr /= entry.lr_divisor
    if warm_up is not None:
        check_integer('warm_up', warm_up, 1)
        cure = 'leave warm_up out where there are no mixed images of CIFAR-100'
        is_cifar = mixed and pair in pair_names('cifar100')
        first: Any = content.param_scheduler[0] if is_cifar else {}
        check_choice('the first schedule', first.get('type'), ('LinearLR',), cure=cure)
        first.end = warm_up
    parts = content.to_dict()
    return {name: parts[name] for name in _PARTS if name in parts}


def mixed_pipeline_of(pair: str) -> list[dict[str, Any]]:
    """Return the transforms of mixed images of a second loader, as a pair's schedule has them.

    Args:
        pair: Name in :data:`PAIRS`.

    Raises:
        ValueError: If there is no such pair.
    """
    check_choice('pair', pair, list(PAIRS))
    schedule = Config(dict(read_base(f'_base_/schedules/{PAIRS[pair].schedule}.py')))
    if 'mixed_pipeline' in schedule:
        return schedule.to_dict()['mixed_pipeline']
    return student_of(pair)['train_dataloader']['dataset']['pipeline']


def distill(
    preset: str,
    teacher: Mapping[str, Any],
    augment: Mapping[str, Any] | None = None,
    dataset: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the config of the hook that adds a teacher to a student's training.

    Args:
        preset: Name of a method in :data:`mmtmix.engine.distillation.PRESETS`.
        teacher: Entry of ``requires`` that trains the teacher, or its settings from
            :func:`teacher_from`.
        augment: Batch augment that mixes the clean batch.
        dataset: Data set of mixed images, in batches as large as the clean ones.

    Returns:
        ``dict(type='DistillHook', ...)`` for ``custom_hooks``.

    Raises:
        TypeError: If the teacher is of another type.
        ValueError: If the preset is unknown, or `augment` and `dataset` do not fit it.
    """
    check_choice('preset', preset, list(PRESETS))
    sources = {name for name, given in (('augment', augment), ('dataset', dataset)) if given}
    if len(sources) != int(PRESETS[preset]['mixes']):
        wanted = 'either augment or dataset' if PRESETS[preset]['mixes'] else 'neither of them'
        raise ValueError(f'preset={preset!r} takes {wanted}, got {sorted(sources) or "none"}')
    hook = dict(type='DistillHook', preset=preset, teacher=settings_of(teacher))
    if augment:
        hook['mixed'] = dict(augment=augment)
    elif dataset:
        hook['mixed'] = dict(dataloader=dict(dataset=dataset))
    return hook
