"""Methods of distillation by name, their losses, and their source of mixed images.

The loss is ``cls_weight * [CE(s(x), y) + CE(s(x^), class of x^)]`` plus the listed terms. The
second cross entropy is there where images are mixed. Weights are those of SuperMix's experiments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from mmpretrain.registry import MODELS
from torch import nn

from mmtmix.checks import check_arguments, check_choice, check_keys, check_number
from mmtmix.models.losses import DistillLoss

from .mixes import Mixes
from .offline_mixes import OfflineMixes
from .online_mixes import OnlineMixes

_CRD = dict(type='CRDLoss', loss_weight=0.8)

PRESETS: dict[str, dict[str, Any]] = {
    # Hinton et al. 2015
    'kd': dict(
        cls_weight=0.1,
        losses=[dict(type='KDLoss', temperature=4.0, loss_weight=0.9)],
        mixes=False,
    ),
    # SuperMix, Eq. 9: only classify, clean images and mixed ones by the teacher's winner
    'ce_mixed': dict(cls_weight=2.0, losses=[], mixes=True),
    # SuperMix, Eq. 8: the same, and Hinton's distillation on clean images
    'kd_mixed': dict(
        cls_weight=1.8,
        losses=[dict(type='KDLoss', temperature=4.0, loss_weight=0.2)],
        mixes=True,
    ),
    # Tian et al. 2020
    'crd': dict(cls_weight=1.0, losses=[_CRD], mixes=False),
    'crd_kd': dict(
        cls_weight=1.0,
        losses=[dict(type='KDLoss', temperature=4.0, loss_weight=1.0), _CRD],
        mixes=False,
    ),
}


@dataclass(frozen=True)
class Method:
    """Losses of a student.

    Attributes:
        losses: Terms that compare it with its teacher.
        cls_weight: Factor of the losses of its own head.
    """

    losses: nn.ModuleList
    cls_weight: float


def _build(config: Mapping) -> DistillLoss:
    settings = dict(config)
    kind = settings.pop('type')
    cls = MODELS.get(kind) if isinstance(kind, str) else kind
    if cls is None:
        registered = MODELS.module_dict.items()
        check_choice(
            'type of losses', kind, [k for k, c in registered if _is_loss(c) and k != kind]
        )
    check_arguments(f'losses: {kind}', settings, cls)
    if not _is_loss(cls):
        raise TypeError(f'losses must be of DistillLoss, such as KDLoss, got type={kind!r}')
    return MODELS.build(dict(config))


def _is_loss(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, DistillLoss)


def choose_method(
    preset: str | None,
    losses: Sequence[Mapping] | None,
    cls_weight: float | None,
    mixed: Mapping | None,
) -> Method:
    """Return a method: a preset, in which the other arguments replace settings.

    Args:
        preset: Name in ``PRESETS``, or None.
        losses: Configs of losses; None for the preset's.
        cls_weight: Factor of the losses of the student's head, >= 0; None for the preset's.
        mixed: Source of mixed images, or None.

    Raises:
        TypeError: If ``losses`` is no list of configs.
        ValueError: If the preset is unknown, mixed images don't fit it, a loss is given twice, or
            nothing is left to distill.
    """
    check_choice('preset', preset, (None, *PRESETS))
    if cls_weight is not None:
        check_number('cls_weight', cls_weight, 0)
    defaults: dict[str, Any] = dict(cls_weight=1.0, losses=[], mixes=mixed is not None)
    settings = defaults if preset is None else PRESETS[preset]
    if settings['mixes'] and mixed is None:
        raise ValueError(
            f'preset={preset!r} learns from mixed images; give mixed=dict(augment=...) or '
            'mixed=dict(dataloader=...)'
        )
    if mixed is not None and not settings['mixes']:
        raise ValueError(
            f"preset={preset!r} uses no mixed images, but mixed is given; use 'kd_mixed' or "
            "'ce_mixed', or losses and cls_weight instead of a preset"
        )
    configs = settings['losses'] if losses is None else losses
    is_list = isinstance(configs, (list, tuple))
    if not is_list or not all(isinstance(one, Mapping) and 'type' in one for one in configs):
        raise TypeError(f'losses must be a list of dict(type=...), got {losses!r}')
    with torch.random.fork_rng(devices=[]):  # keeps the student's initialisation
        built = nn.ModuleList(map(_build, configs))
    names = [loss.name for loss in built]
    if len(set(names)) < len(names):
        raise ValueError(f'each loss can be given once, got {names}')
    if not names and mixed is None:
        raise ValueError('nothing to distill; give a preset, losses or mixed')
    return Method(built, settings['cls_weight'] if cls_weight is None else cls_weight)


def build_mixes(mixed: Mapping | None) -> Mixes | None:
    """Make the source of mixed images from the hook's argument.

    Args:
        mixed: Source of mixed images, ``dict(augment=...)`` or ``dict(dataloader=...)``; None for
            no source.

    Raises:
        TypeError: If ``augment`` is neither a config nor a list of some.
        ValueError: If it is neither, or the sampler of ``dataloader`` is another than ours.
    """
    if mixed is None:
        return None
    if isinstance(mixed, Mapping):
        check_keys('mixed', dict(mixed), ('augment', 'dataloader'))
    if isinstance(mixed, Mapping) and set(mixed) == {'augment'}:
        return OnlineMixes(mixed['augment'])
    if isinstance(mixed, Mapping) and set(mixed) == {'dataloader'}:
        return OfflineMixes(mixed['dataloader'])
    raise ValueError(
        'mixed must be None, dict(augment=...), a batch augment to apply to each batch, or '
        f'dict(dataloader=...), a loader of mixed images; got {mixed!r}'
    )
