"""The command ``mmtmix``: it parses its arguments before it imports torch and the host stack."""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from mmtmix.program import TOOLS, program
from mmtmix.version import __version__

from .arguments import complete
from .parser import CommandParser

USER_ERROR, INTERRUPTED = 2, 130
_EXAMPLES = {
    '': 'train mmtmix::transformmix/wrn28_cifar100.py',
    'visualize': 'visualize mix mmtmix::supermix/wrn16_fashionmnist_mini.py --out mixes.png',
}


class Command(NamedTuple):
    """Modules of a command.

    Attributes:
        arguments: Module in this package with ``EXAMPLE``, ``add_arguments(parser)`` and a
            docstring for the help. ``check(args, parser)`` is there where arguments depend on
            each other.
        work: Module in ``mmtmix.apps`` with ``run(args)``. An integer that it returns is the exit
            status.
        computes: Whether it runs networks.
    """

    arguments: str
    work: str
    computes: bool = False


COMMANDS = {
    'train': Command('train', 'train.command', computes=True),
    'test': Command('test', 'test.command', computes=True),
    'evaluate': Command('evaluate', 'evaluate.command', computes=True),
    'generate': Command('generate', 'generate.command', computes=True),
    'prepare': Command('prepare', 'prepare.command'),
    'convert': Command('convert', 'convert.command'),
    'reproduce': Command('reproduce', 'reproduce.command'),
    'visualize mix': Command('visualize_mix', 'visualize.mix', computes=True),
    'visualize mixers': Command('visualize_mixers', 'visualize.mixers', computes=True),
    'report': Command('report', 'report.command', computes=True),
    'benchmark': Command('benchmark', 'benchmark.command', computes=True),
    'init': Command('init', 'init.command'),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``mmtmix COMMAND ...`` and return the exit status of the process.

    Args:
        argv: Arguments of the command line; ``sys.argv[1:]`` if None.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ['--version']:
        print(f'mmtmix {__version__}')
        return 0
    if words[:1] in (['-h'], ['--help'], []):
        print(overview(), file=sys.stdout if words else sys.stderr)
        return 0 if words else USER_ERROR
    kinds = [name.partition(' ')[2] for name in COMMANDS if name.startswith(f'{words[0]} ')]
    if kinds and words[1:2] and words[1] in {'-h', '--help'}:
        print(overview(words[0]))
        return 0
    name = ' '.join(words[: 2 if kinds else 1])
    if name not in COMMANDS:
        print(f'mmtmix: error: {unknown(name, words[0] if kinds else "")}', file=sys.stderr)
        return USER_ERROR
    return run(name, words[2 if kinds else 1 :], program(name))


def run_tool(file: str) -> int:
    """Run the command of a script in ``tools/`` and return the exit status of the process.

    Args:
        file: Path of the script, whose name is in :data:`mmtmix.program.TOOLS`.
    """
    script = file.replace('\\', '/').rpartition('/')[2]
    name = next(name for name, tool in TOOLS.items() if tool == script)
    return run(name, sys.argv[1:], script)


def run(name: str, words: Sequence[str], shown: str) -> int:
    """Parse a command's arguments, run it and return the exit status of the process.

    Args:
        name: Name in :data:`COMMANDS`.
        words: Arguments of the command.
        shown: Name of the program in its help and its errors.
    """
    args = parse(name, words, shown)
    try:
        from mmtmix import register

        register()
        from mmtmix.utils import run_command
    except ImportError as error:  # its message names what is missing and the cure
        if args.debug:
            raise
        print(f'{shown}: error: {error}', file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print(f'{shown}: stopped by SIGINT', file=sys.stderr)
        return INTERRUPTED
    return run_command(lambda _: launch(name, args), shown, words)


def launch(name: str, args: argparse.Namespace) -> Any:
    """Set up this process for a command, and run it.

    Args:
        name: Name in :data:`COMMANDS`.
        args: Arguments that :func:`parse` returned.
    """
    if COMMANDS[name].computes:
        from mmengine.device import get_device

        from mmtmix.utils import keep_freed_memory

        keep_freed_memory(getattr(args, 'device', None) or get_device())
    return work(name, args)


def call(name: str, words: Sequence[str]) -> Any:
    """Run a command in this process and return what its function returns; errors are raised.

    Args:
        name: Name in :data:`COMMANDS`.
        words: Arguments of the command.
    """
    return work(name, parse(name, words))


def parse(name: str, words: Sequence[str], shown: str | None = None) -> argparse.Namespace:
    """Parse a command's arguments without importing torch or the host stack.

    Args:
        name: Name in :data:`COMMANDS`.
        words: Arguments of the command.
        shown: Name of the program in its help; by default the one that the user typed.

    Returns:
        The arguments, and ``argv`` and ``command``: the words, and the name of the command.
    """
    module = importlib.import_module(f'{__package__}.{COMMANDS[name].arguments}')
    parser = CommandParser(
        prog=shown or program(name),
        description=module.__doc__,
        example=module.EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    args = parser.parse_args(words)
    if hasattr(module, 'check'):
        module.check(args, parser)
    args.command, args.argv = name, list(words)
    return args


def work(name: str, args: argparse.Namespace) -> Any:
    """Run a command whose arguments are parsed.

    Args:
        name: Name in :data:`COMMANDS`.
        args: Arguments that :func:`parse` returned.
    """
    complete(args)
    return importlib.import_module(f'mmtmix.apps.{COMMANDS[name].work}').run(args)


def overview(of: str = '') -> str:
    """Return a list of the commands, with one line for each.

    Args:
        of: Command whose subcommands are listed; all commands by default.
    """
    lines = []
    for name, command in COMMANDS.items():
        if name.startswith(f'{of} ' if of else ''):
            module = importlib.import_module(f'{__package__}.{command.arguments}')
            lines.append(f'  {name:18}{(module.__doc__ or "").splitlines()[0]}')
    head = (
        f'example: mmtmix {_EXAMPLES.get(of, _EXAMPLES[""])}\n\n'
        'usage: mmtmix COMMAND ... | --version\n\ncommands (mmtmix COMMAND --help):'
    )
    return '\n'.join([head, *lines])


def unknown(name: str, of: str = '') -> str:
    """Return the message for a command that does not exist.

    Args:
        name: Name that was typed.
        of: Command whose subcommands are suggested; all commands by default.
    """
    names = [each for each in COMMANDS if each.startswith(f'{of} ' if of else '')]
    names = [each for each in names if of] or list(dict.fromkeys(n.split()[0] for n in names))
    close = difflib.get_close_matches(name, names, 1)
    hint = f'; did you mean {close[0]!r}?' if close else ''
    return f'no command {name!r}{hint} (one of: {", ".join(names)})'
