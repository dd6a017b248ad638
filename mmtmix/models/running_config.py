"""The config of the run in progress, read from its Runner.

MMPretrain passes normalised images to a batch augment without their mean and standard deviation.
The message hub has the config only as text. It would have to be executed, and a resumed checkpoint
replaces it by its own. In every tool the Runner at work is on the call stack.
"""

from __future__ import annotations

import inspect
import weakref
from typing import Any

import torch
from mmengine.logging import MessageHub
from mmengine.runner import FlexibleRunner, Runner

_METHODS = ('train', 'val', 'test')  # methods of a Runner, each of which is a whole run
_latest: weakref.ref | None = None


def hand_over(runner: Any) -> None:
    """Register a run whose Runner is not on the call stack.

    The run counts as in progress while its message hub is the current one and one of its loops
    runs.

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
    # a loop sets `loop_stage` at its start and removes it at its end
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
