"""Commands in a shell block that is not run, or that is run by cheaper ones: they must parse."""

from __future__ import annotations

import argparse
import contextlib
import io
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mmtmix.apps.reproduce import choose_cells, read_experiments
from mmtmix.cli.main import COMMANDS, make_parser, parse
from mmtmix.program import TOOLS
from mmtmix.utils import load_config, resolve_config
from mmtmix.utils.variants import parse_variants

from .page import ROOT

# what a page writes where the reader puts a name of his own
PLACEHOLDERS = ('CONFIG', 'CHECKPOINT', 'PARTITION', 'WORK_DIR')
_END = ('&&', '||', '|', ';', '&', '>', '>>', '<', '2>')


class Command(NamedTuple):
    """A command of ours in a block.

    Attributes:
        name: Name in :data:`mmtmix.cli.main.COMMANDS`.
        words: Its arguments.
    """

    name: str
    words: list[str]


def commands_in(text: str) -> Iterator[Command]:
    """Yield our commands in a block, also those that start after other words of a line.

    Args:
        text: Content of a block.
    """
    scripts = {script: name for name, script in TOOLS.items()}
    for line in _lines(text):
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # a quote that goes on: a here-document or a program
            continue
        for start, word in enumerate(words):
            rest = words[start + 1 :]
            rest = rest[: next((i for i, each in enumerate(rest) if each in _END), len(rest))]
            tool = Path(word)
            if word == 'mmtmix' and words[start - 1 : start] not in (['cd'], ['install']):
                size = 2 if ' '.join(rest[:2]) in COMMANDS else 1
                yield Command(' '.join(rest[:size]), rest[size:])
            elif tool.parent.name == 'tools' and tool.name in scripts:
                yield Command(scripts[tool.name], rest)


def check_command(command: Command) -> argparse.Namespace:
    """Parse a command as it would, and read its config and its cells where they exist.

    Args:
        command: Command of a block.

    Returns:
        Its arguments.

    Raises:
        AssertionError: If its parser refuses it.
        ValueError: If its variants do not fit its config, or its cells are in no file.
    """
    assert command.name in COMMANDS, f'there is no command {command.name!r}'
    refused = io.StringIO()
    try:
        with contextlib.redirect_stderr(refused), contextlib.redirect_stdout(refused):
            args = parse(command.name, command.words)
    except SystemExit as end:
        assert end.code == 0, f'{command}: {refused.getvalue()}'
        return argparse.Namespace()
    config = getattr(args, 'config', None)
    if isinstance(config, str) and config not in PLACEHOLDERS:
        with contextlib.suppress(FileNotFoundError):
            load_config(resolve_config(config), variants=parse_variants(args.variant or []))
        assert not config.startswith(('mmtmix::', 'configs/')) or _is_there(config), config
    if command.name == 'reproduce' and Path(ROOT, args.experiments).is_file():
        cells = read_experiments(ROOT / args.experiments)
        choose_cells(cells, getattr(args, 'cells', None) or args.__dict__.get('table') or ['*'])
    return args


def check_same(shown: str, run: str) -> None:
    """Refuse a cheaper command that differs in more than its options.

    Args:
        shown: Commands of the page.
        run: Commands that run in their place.

    Raises:
        AssertionError: If they are other commands, or differ in what is no option.
    """
    pairs = list(commands_in(shown)), list(commands_in(run))
    assert len(pairs[0]) == len(pairs[1]) > 0, f'{shown}\nis not\n{run}'
    for one, other in zip(*pairs, strict=True):
        assert one.name == other.name, f'{other.name!r} runs in place of {one.name!r}'
        mine, theirs = (
            _positionals(make_parser(one.name), check_command(c)) for c in (one, other)
        )
        assert mine == theirs, f'{theirs} runs in place of {mine}'


def _positionals(parser: argparse.ArgumentParser, args: argparse.Namespace) -> dict[str, Any]:
    """Return the values of the arguments that are no options."""
    values: dict[str, Any] = {}
    for action in parser._actions:
        if not action.option_strings:
            values[action.dest] = getattr(args, action.dest)
        if isinstance(action, argparse._SubParsersAction):
            values |= _positionals(action.choices[getattr(args, action.dest)], args)
    return values


def _is_there(config: str) -> bool:
    try:
        return resolve_config(config).is_file()
    except FileNotFoundError:
        return False


def _lines(text: str) -> Iterator[str]:
    yield from text.replace('\\\n', ' ').splitlines()
