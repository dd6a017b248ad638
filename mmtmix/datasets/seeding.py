"""Seeds of data loader workers and of ranks."""

from __future__ import annotations

import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.registry import FUNCTIONS


@FUNCTIONS.register_module()
def seed_worker(worker_id: int) -> None:
    """Seed a worker's Python and NumPy from the seed that torch gave it.

    Torch draws that seed anew from the main process in every epoch. MMEngine's own function
    replaces it by a constant: workers that don't persist then make the same crops in each epoch.

    Args:
        worker_id: Number of the worker, unused, since torch's seed depends on it already.
    """
    seed = torch.initial_seed() % 2**32
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (what MMPretrain's transforms draw from)


def rank_generator() -> torch.Generator:
    """Return a CPU generator that is seeded from torch's own and the rank.

    Without ``diff_rank_seed`` all ranks share a seed, and would all draw the same.
    """
    seed = int(torch.randint(2**62, ()))
    return torch.Generator().manual_seed(seed + get_rank())
