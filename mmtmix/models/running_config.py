"""The config of the run in progress, from the Runner itself and never from text.

MMPretrain hands a batch augment normalised images without their mean and standard deviation. The
message hub has the config as text alone, which would have to be executed, and which a resumed
checkpoint replaces by its own. In any tool, the Runner at work is on the call stack.
"""

from __future__ import annotations

import inspect
import weakref
from typing import Any

import torch
from mmengine.logging import MessageHub
from mmengine.runner import FlexibleRunner, Runner

_METHODS = ('train', 'val', 'test')  # of a Runner, each a whole run
_latest: weakref.ref | None = None


def hand_over(runner: Any) -> None:
    """Make a run known whose Runner is not on the call stack.

    It counts as in progress while its message hub is the current one and one of its loops runs.

    Args:
        runner: Object with ``cfg`` and ``message_hub``.
    """
    global _latest
    _latest = weakref.ref(runner)


@torch.compiler.disable
def run_in_progress() -> Any | None:
    """Return the Runner that trains, validates or tests now; None outside of a run."""
    runner = None if _latest is None else _latest()
    if runner is not None and _is_looping(runner):
        return runner
    runner = _runner_above()
    if runner is not None:
        hand_over(runner)
    return runner


def _is_looping(runner: Any) -> bool:
    hub = MessageHub.get_current_instance()
    # a loop sets it at its start and takes it back at its end
    return runner.message_hub is hub and 'loop_stage' in hub.runtime_info


def _runner_above() -> Any | None:
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_name in _METHODS:
            owner = frame.f_locals.get('self')
            if isinstance(owner, (Runner, FlexibleRunner)):
                return owner
        frame = frame.f_back
    return None
