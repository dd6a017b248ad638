"""Losses."""

from .clean_factor import clean_factor
from .crd_loss import CRDLoss
from .distill_loss import DistillLoss, NetworkOutputs
from .kd_loss import KDLoss
from .softmax_bce_loss import SoftmaxBCELoss

__all__ = ['CRDLoss', 'DistillLoss', 'KDLoss', 'NetworkOutputs', 'SoftmaxBCELoss', 'clean_factor']
