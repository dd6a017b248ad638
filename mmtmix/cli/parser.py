"""The parser of every command and tool: its help begins with an example."""

from __future__ import annotations

import argparse
from typing import Any

from mmtmix.program import DEBUG


class CommandParser(argparse.ArgumentParser):
    """A parser with ``--debug``, which shows tracebacks, and an example first in its help.

    Args:
        *args: Arguments of :class:`argparse.ArgumentParser`.
        example: Arguments of an example, without the command's name; None shows no example.
        **kwargs: Arguments of :class:`argparse.ArgumentParser`.
    """

    def __init__(self, *args: Any, example: str | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.example = example
        self.add_argument(
            DEBUG, action='store_true', help='show the traceback of an error, not its line alone'
        )

    def format_help(self) -> str:
        """Return the help, which begins with the example."""
        text = super().format_help()
        return text if self.example is None else f'example: {self.prog} {self.example}\n\n{text}'
