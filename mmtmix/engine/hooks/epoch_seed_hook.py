"""Randomness that depends on the epoch alone, not on what ran before it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seeds Python, numpy and torch from (seed, epoch, rank) before every epoch.

    MMEngine saves no random state, so a resumed run draws other crops and mixes than an unbroken
    one. With this hook it ends with the same weights. Data loader workers need
    ``persistent_workers=False`` and ``worker_init_fn=dict(type='seed_worker')`` for the same.
    """

    priority = 'HIGH'  # before hooks that draw, or that start workers, as DistillHook does

    def before_train_epoch(self, runner: Any) -> None:
        """Seed everything."""
        entropy = np.random.SeedSequence([runner.seed, runner.epoch, get_rank()])
        seed = int(entropy.generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002  (what MMPretrain draws from)
        torch.manual_seed(seed)
