"""Pairs of a teacher and a student of the papers' tables of distillation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mmtmix.checks import check_choice


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
    """Return the pair on ImageNet, with a set of mixes of ``num_mix`` images."""
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
# the pair of TransformMix Table 10 comes first, as the default
_SEARCHED = (
    'wrn40_2_shufflenetv1',
    'wrn40_2_wrn16_2',
    'wrn40_2_wrn40_1',
    'wrn16_wrn10_fashionmnist_mini',
)


def pair_names(kind: str = 'all') -> tuple[str, ...]:
    """Return the names of pairs that a method is for, the default first.

    Args:
        kind: Kind of the pairs: ``'all'``; ``'cifar100'``, those on CIFAR-100; or ``'searched'``,
            those whose teacher has a search of a mixing module.

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
