"""Things that a hook attaches to a run and must not leave behind."""

from __future__ import annotations

from contextlib import ExitStack

from mmengine.runner import BaseLoop
from torch import nn


def close_with(loop: BaseLoop, attached: ExitStack) -> None:
    """Close a stack when a training loop ends, also by an exception, of which hooks aren't told.

    Args:
        loop: A loop that doesn't run yet.
        attached: What to undo.
    """
    run = loop.run

    def guarded() -> nn.Module:
        try:
            return run()
        finally:
            vars(loop).pop('run', None)  # gone already where another hook's stack was inside
            attached.close()

    loop.run = guarded
