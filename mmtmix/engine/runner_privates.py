"""The one place that reads private names of MMEngine, each with the reason for it."""

from __future__ import annotations

from typing import Any

from mmengine.dist import get_rank
from mmengine.hooks import CheckpointHook
from mmengine.runner import BaseLoop


def built_loop(runner: Any, name: str = 'train') -> BaseLoop | None:
    """Return a loop of a Runner if this run has built it.

    The public properties ``train_loop``, ``val_loop`` and ``test_loop`` would build the loops that
    this run does without, with their data sets.

    Args:
        runner: A Runner.
        name: Name of the loop, ``'train'``, ``'val'`` or ``'test'``.
    """
    loop = getattr(runner, f'_{name}_loop', None)
    return loop if isinstance(loop, BaseLoop) else None


def is_resumed(runner: Any) -> bool:
    """Return whether a Runner loads a checkpoint to resume from, and not weights alone.

    Hooks see the same ``after_load_checkpoint`` in both cases, and a Runner has no public flag.

    Args:
        runner: A Runner.
    """
    return bool(runner._resume)


def shared_seed(runner: Any) -> int:
    """Return the seed of a run, the same on all ranks.

    With ``diff_rank_seed`` the public ``runner.seed`` has the rank added, and only the private
    settings show whether that is so.

    Args:
        runner: A Runner.
    """
    differs = runner._randomness_cfg.get('diff_rank_seed', False)
    return runner.seed - get_rank() if differs else runner.seed


def accumulated_steps(optim_wrapper: Any) -> int:
    """Return the number of steps over which gradients are summed.

    An optimizer wrapper has no public name for it.

    Args:
        optim_wrapper: An optimizer wrapper, or several in an ``OptimWrapperDict``.
    """
    return getattr(optim_wrapper, '_accumulative_counts', 1)


def save_checkpoint_now(hook: CheckpointHook, runner: Any) -> None:
    """Write a checkpoint as a hook would at its next interval.

    Only this private method also counts, rotates and notes what it writes, so that a run can be
    resumed from it. The public ``runner.save_checkpoint`` writes a file that nothing refers to.

    Args:
        hook: The hook that writes the checkpoints of the run.
        runner: The Runner.
    """
    hook._save_checkpoint(runner)


def drop_iterator(dataloader: Any) -> None:
    """Stop the workers of a data loader that has begun to iterate.

    Upstream's MMEngine begins to iterate when a loop by iterations is built, and persistent
    workers stay as long as torch's private iterator. Torch has no call that stops them.

    Args:
        dataloader: A data loader.
    """
    if getattr(dataloader, '_iterator', None) is not None:
        dataloader._iterator = None


def vis_backends(visualizer: Any) -> dict[str, Any]:
    """Return the backends of a visualizer by their names.

    Its public ``add_image`` writes to all of them, so one that fails would keep a picture from the
    others. The public ``get_backend`` takes a name, and nothing lists the names.

    Args:
        visualizer: A visualizer of MMEngine.
    """
    return dict(getattr(visualizer, '_vis_backends', None) or {})
