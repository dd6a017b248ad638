"""List the commands and their arguments, as the tables of docs/commands.md.

The page comes from the parsers of ``mmtmix COMMAND``. With --check the tool only compares them
with the page, as the tests do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from mmtmix.cli.main import COMMANDS, arguments_of, make_parser
from mmtmix.cli.parser import CommandParser
from mmtmix.utils import atomic_path, check_output_file, run_command

ROOT = Path(__file__).resolve().parents[1]
HEAD = """# Commands

Made by `python tools/list_commands.py`; don't edit. `mmtmix COMMAND --help` shows the same in a
terminal. `python -m mmtmix` is the same program as `mmtmix`.

Every command also takes `--debug`, which shows the traceback of an error and not its line alone.
The exit status is 0 for success, 2 for an error of the user, 75 if another process works in the
same folder, and 1 for anything else.

| command | does |
|---|---|
"""


def make_page() -> str:
    """Return the page."""
    overview, sections = [], []
    for name in COMMANDS:
        parser = make_parser(name, f'mmtmix {name}')
        head = (arguments_of(name).__doc__ or '').strip()
        first = ' '.join(head.partition('\n\n')[0].split())
        overview.append(f'| [`{name}`](#mmtmix-{name.replace(" ", "-")}) | {text_of(first)} |')
        sections.append(section(name, parser, head))
    return HEAD + '\n'.join(overview) + '\n\n' + '\n'.join(sections)


def section(name: str, parser: CommandParser, head: str) -> str:
    """Return the section of a command.

    Args:
        name: Name of the command.
        parser: Its parser.
        head: Docstring of its arguments.
    """
    paragraphs = [text_of(' '.join(part.split())) for part in head.split('\n\n')]
    parts = [
        f'## mmtmix {name}\n',
        *(f'{paragraph}\n' for paragraph in paragraphs),
        f'```text\n{parser.prog} {parser.example}\n```\n',
        *tables(parser),
    ]
    return '\n'.join(parts)


def tables(parser: argparse.ArgumentParser, title: str = '') -> Iterator[str]:
    """Yield the table of a parser's arguments, and sections of its subcommands.

    Args:
        parser: Parser.
        title: Heading above the table, without one if empty.
    """
    rows, below = [], []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help or '' for each in action._choices_actions}
            for name, child in action.choices.items():
                heading = f'### {child.prog.removeprefix("usage: ")}\n\n{sentence(helps[name])}\n'
                below += tables(child, heading)
        elif action.help is not argparse.SUPPRESS and not {'-h', '--debug'} & {
            *action.option_strings
        }:
            rows.append(row(action))
    if title:
        yield title
    if rows:
        yield '\n'.join(['| argument | meaning |', '|---|---|', *rows]) + '\n'
    yield from below


def row(action: argparse.Action) -> str:
    """Return the row of an argument: its names and value, and what it means.

    Args:
        action: Argument of a parser.
    """
    value = value_of(action)
    names = action.option_strings or [value]
    shown = ', '.join(f'`{name}`' for name in names)
    if action.option_strings and value:
        shown += f' `{value}`'
    meaning = sentence((action.help or '').replace('%(default)s', str(action.default)))
    if action.choices is not None:
        meaning += f' One of {", ".join(f"`{choice}`" for choice in action.choices)}.'
    if action.required and action.option_strings:
        meaning += ' Required.'
    plain = isinstance(action.default, (str, int, float, Path)) and action.default != ''
    shows = plain and not isinstance(action.default, bool) and str(action.default) not in meaning
    if shows and action.default is not argparse.SUPPRESS:
        meaning += f' Default: `{action.default}`.'
    return f'| {shown} | {meaning.strip()} |'


def value_of(action: argparse.Action) -> str:
    """Return the placeholder of an argument's value; empty for a flag.

    Args:
        action: Argument of a parser.
    """
    if action.nargs == 0:
        return ''
    name = action.metavar or action.dest.upper()
    name = ' '.join(name) if isinstance(name, tuple) else str(name)
    many = {'+': f'{name} ...', '*': f'[{name} ...]', '?': f'[{name}]'}
    if isinstance(action.nargs, int):
        return ' '.join([name] * action.nargs)
    return many.get(str(action.nargs), name)


def sentence(text: str) -> str:
    """Return a help text as a sentence of a page.

    Args:
        text: Help of an argument.
    """
    text = text_of(' '.join(text.split()))
    text = text[:1].upper() + text[1:]
    return text if not text or text.endswith(('.', '?')) else f'{text}.'


def text_of(text: str) -> str:
    """Return a text in which flags and file names are code, and nothing is markup.

    Args:
        text: Text of a help.
    """
    words = []
    for word in text.replace('``', '`').split(' '):
        core = word.strip('(),.;:')
        is_code = '`' not in word and (
            core.startswith('--') or '/' in core or '*' in core or '<' in core or '_' in core
        )
        shown = word.replace(core, f'`{core}`', 1) if is_code and core else word
        words.append(shown.replace('|', '\\|'))
    return ' '.join(words)


def main(argv: list[str]) -> int:
    """Write the page, or compare it.

    Args:
        argv: Arguments of the command line.

    Returns:
        The exit status.
    """
    parser = CommandParser(description=__doc__.partition('\n')[0], example='--check')
    parser.add_argument('--check', action='store_true', help='only compare with the page')
    parser.add_argument('--out', type=Path, default=ROOT / 'docs/commands.md', help='page')
    args = parser.parse_args(argv)
    page = make_page()
    if args.check:
        if args.out.read_text(encoding='utf-8') == page:
            return 0
        print(f'{args.out} is old: run python tools/list_commands.py', file=sys.stderr)
        return 1
    check_output_file('--out', args.out)
    with atomic_path(args.out) as temporary:
        temporary.write_text(page, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
