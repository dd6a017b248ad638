"""Undo what a hook attaches to a run."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol, runtime_checkable


class Cleanup(ExitStack):
    """Actions by which a hook undoes its changes at the end of a run.

    MMEngine's hooks are not called when an exception ends a run. What is attached then stays until
    the next of these: :meth:`begin` by another run of the hook, :func:`closing_hooks`, or the end
    of the Runner's life.
    """

    def begin(self, runner: Any) -> None:
        """Undo what an earlier run has left, and undo what follows when the Runner is deleted.

        Args:
            runner: The Runner of the run that begins.
        """
        self.close()
        # the stack itself must not keep the Runner alive, so nothing in it may refer to it
        weakref.finalize(runner, self.close)


@runtime_checkable
class HasCleanup(Protocol):
    """A hook that attaches something to a run.

    Attributes:
        cleanup: Stack of what it has to undo.
    """

    cleanup: Cleanup


@contextmanager
def closing_hooks(runner: Any) -> Iterator[None]:
    """Undo what hooks have attached when the block ends, also by an exception.

    For code that goes on after an exception, such as a notebook.

    Args:
        runner: A Runner, which trains in the block.
    """
    try:
        yield
    finally:
        for hook in runner.hooks:
            if isinstance(hook, HasCleanup):
                hook.cleanup.close()
