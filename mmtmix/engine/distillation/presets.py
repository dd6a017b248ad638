"""Distillation methods by name, with the weights of SuperMix's experiments.

The loss is ``cls_weight * [CE(s(x), y) + CE(s(x^), class of x^)]`` plus the listed terms; the
second cross entropy is there where images are mixed.
"""

from __future__ import annotations

from typing import Any

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
