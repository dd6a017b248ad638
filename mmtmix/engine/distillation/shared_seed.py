"""What all ranks draw by."""

from __future__ import annotations

from typing import Any

from mmengine.dist import get_rank


def shared_seed(runner: Any) -> int:
    """The seed of a run, the same on all ranks: ``diff_rank_seed`` adds the rank to each one's."""
    differs = runner._randomness_cfg.get('diff_rank_seed', False)
    return runner.seed - get_rank() if differs else runner.seed
