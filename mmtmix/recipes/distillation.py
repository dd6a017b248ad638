"""Distillation: pairs of networks of the papers' tables, and how their students are trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mmengine.config import Config

from mmtmix.checks import check_choice, check_flag, check_integer
from mmtmix.engine.distillation import PRESETS
from mmtmix.utils.config import read_base
from mmtmix.utils.variants import variant

from .augments import settings_of
from .offline import mixed_images
from .stages import stage

# what a Runner reads of a student's files
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


@dataclass(frozen=True)
class Pair:
    """A teacher and a student.

    Attributes:
        teacher: Config that trains the teacher.
        student: File of the student in ``_base_/models``, without its suffix.
        dataset: File of the images in ``_base_/datasets``, without its suffix.
        schedule: File of the schedule in ``_base_/schedules``, without its suffix. Its
            ``mixed_recipe`` is that of training with mixed images, if it differs.
        mixed_set: Config that generates mixed images with the teacher.
        search: Config that searches a mixing module with the teacher; None without one.
        lr_divisor: Number that divides the learning rates of the schedule, >= 1.
        changes: Further settings of the student's config.
    """

    teacher: str
    student: str
    dataset: str
    schedule: str
    mixed_set: str
    search: str | None = None
    lr_divisor: int = 1
    changes: Mapping[str, Any] = field(default_factory=dict)


def _cifar100(teacher: str, student: str, lr_divisor: int = 1, search: bool = False) -> Pair:
    """Return a pair on CIFAR-100 by the names of its networks."""
    return Pair(
        f'configs/distill/teacher_{teacher}_cifar100.py',
        f'{student}_cifar100',
        'cifar100_supermix',
        'distill_cifar100',
        f'configs/supermix/generate_{teacher}_cifar100.py',
        f'configs/transformmix/search_{teacher}_cifar100.py' if search else None,
        lr_divisor,
    )


def _imagenet(num_mix: int) -> Pair:
    """Return the pair on ImageNet, with a set of mixes of so many images."""
    return Pair(
        'configs/distill/teacher_resnet34_imagenet.py',
        'resnet18_imagenet',
        'imagenet_supermix',
        'distill_imagenet',
        f'configs/supermix/generate_resnet34_imagenet_k{num_mix}.py',
    )


# Printed figures: configs/distill/README.md. MobileNetV2 and ShuffleNets have a fifth of the
# learning rate, as in CRD's code.
PAIRS = {
    # SuperMix Table 2, CIFAR-100
    'wrn40_2_wrn16_2': _cifar100('wrn40_2', 'wrn16_2', search=True),
    'wrn40_2_wrn40_1': _cifar100('wrn40_2', 'wrn40_1', search=True),
    'resnet56_resnet20': _cifar100('resnet56', 'resnet20'),
    'resnet110_resnet20': _cifar100('resnet110', 'resnet20'),
    'resnet110_resnet32': _cifar100('resnet110', 'resnet32'),
    'resnet32x4_resnet8x4': _cifar100('resnet32x4', 'resnet8x4'),
    'vgg13_vgg8': _cifar100('vgg13', 'vgg8'),
    # SuperMix Table 3, CIFAR-100
    'vgg13_mobilenetv2': _cifar100('vgg13', 'mobilenetv2_half', lr_divisor=5),
    'resnet50_mobilenetv2': _cifar100('resnet50', 'mobilenetv2_half', lr_divisor=5),
    'resnet50_vgg8': _cifar100('resnet50', 'vgg8'),
    'resnet32x4_shufflenetv1': _cifar100('resnet32x4', 'shufflenetv1', lr_divisor=5),
    'resnet32x4_shufflenetv2': _cifar100('resnet32x4', 'shufflenetv2', lr_divisor=5),
    # TransformMix Table 10, too
    'wrn40_2_shufflenetv1': _cifar100('wrn40_2', 'shufflenetv1', lr_divisor=5, search=True),
    # SuperMix Table 5, ImageNet; k3 differs in its generated set alone
    'resnet34_resnet18': _imagenet(2),
    'resnet34_resnet18_k3': _imagenet(3),
    # Ours, to try the methods on a CPU: 15 epochs of 5,000 images of Fashion-MNIST
    'wrn16_wrn10_fashionmnist_mini': Pair(
        'configs/simple/wrn16_fashionmnist_mini.py',
        'wrn16_fashionmnist',
        'fashionmnist_mini',
        'fashionmnist_mini_15e',
        'configs/supermix/generate_wrn16_fashionmnist_mini.py',
        'configs/transformmix/search_wrn16_fashionmnist_mini.py',
        changes=dict(model=dict(backbone=dict(depth=10)), auto_scale_lr=dict(base_batch_size=128)),
    ),
}
_KINDS = ('all', 'cifar100', 'searched')
# that of TransformMix Table 10 first, as the default
_SEARCHED = (
    'wrn40_2_shufflenetv1',
    'wrn40_2_wrn16_2',
    'wrn40_2_wrn40_1',
    'wrn16_wrn10_fashionmnist_mini',
)


def pair_names(kind: str = 'all') -> tuple[str, ...]:
    """Return the names of pairs that a method is for, the default first.

    Args:
        kind: ``'all'``; ``'cifar100'``, those on CIFAR-100; or ``'searched'``, those whose
            teacher has a search of a mixing module.

    Returns:
        Names in :data:`PAIRS`.

    Raises:
        ValueError: If there is no such kind.
    """
    check_choice('kind', kind, _KINDS)
    if kind == 'searched':
        return _SEARCHED
    return tuple(
        name
        for name, pair in PAIRS.items()
        if kind == 'all' or pair.schedule == 'distill_cifar100'
    )


def pair_variant(kind: str = 'all') -> str:
    """Declare the variant ``PAIR`` in a config, and return the name that was chosen.

    Args:
        kind: Pairs that are allowed, see :func:`pair_names`.

    Returns:
        The default, unless ``--variant PAIR=...`` names another one.

    Raises:
        ValueError: If there is no such kind, or the chosen pair is none of it.
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
        mixed: Whether the student learns from mixed images, too, by the schedule for that.
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
        first = content.param_scheduler[0] if mixed and pair in pair_names('cifar100') else {}
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
        preset: Method by name, see :data:`mmtmix.engine.distillation.PRESETS`.
        teacher: Entry of ``requires`` that trains the teacher, or its settings from
            :func:`teacher_from`.
        augment: Batch augment that mixes the clean batch.
        dataset: Data set of mixed images, in batches as large as the clean ones.

    Returns:
        ``dict(type='DistillHook', ...)`` for ``custom_hooks``.

    Raises:
        TypeError: If the teacher is of another type.
        ValueError: If the preset is unknown, or `augment` and `dataset` do not fit to it.
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
