"""Losses of distillation."""

from .crd_loss import CRDLoss
from .distill_loss import DistillLoss, NetworkOutputs
from .kd_loss import KDLoss

__all__ = ['CRDLoss', 'DistillLoss', 'KDLoss', 'NetworkOutputs']
