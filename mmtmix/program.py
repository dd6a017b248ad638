"""Names under which the user started a command, for messages that repeat them.

Like :mod:`mmtmix.checks`, this module imports no other part of the library.
"""

from __future__ import annotations

import os
import shlex
import sys

DEBUG = '--debug'
"""Flag of every command that shows tracebacks."""

TOOLS = {
    'train': 'train.py',
    'test': 'test.py',
    'evaluate': 'evaluate.py',
    'generate': 'generate_mixed.py',
    'prepare': 'prepare_data.py',
    'convert': 'convert_checkpoint.py',
    'reproduce': 'reproduce.py',
    'visualize mix': 'visualize_mix.py',
    'visualize mixers': 'visualize_mixers.py',
    'report': 'report.py',
    'benchmark': 'benchmark_mixers.py',
}
"""Scripts in ``tools/``, by the command that each runs."""


def program(command: str) -> str:
    """Return the words that start a command, in the way in which this process was started.

    Args:
        command: Name such as ``'train'``.

    Returns:
        ``'python tools/train.py'`` in a script of ``tools/``, ``'python -m mmtmix train'`` in a
        process of ``python -m mmtmix``, else ``'mmtmix train'``.
    """
    script = sys.argv[0] if sys.argv else ''
    if os.path.basename(script) in TOOLS.values() and command in TOOLS:
        folder = os.path.relpath(os.path.dirname(script) or '.')
        return shlex.join(['python', os.path.join(folder, TOOLS[command])])
    if os.path.join('mmtmix', '__main__.py') in script:
        return f'python -m mmtmix {command}'
    return f'mmtmix {command}'


def is_command() -> bool:
    """Return whether this process runs ``mmtmix`` or ``python -m mmtmix``.

    The command parses its arguments before it imports anything heavy. The processes that
    it starts, such as workers of a data loader, are not the command.
    """
    words = sys.orig_argv[1:]
    while words and words[0].startswith('-') and words[0] != '-m':
        takes_value = words[0] in {'-X', '-W', '--check-hash-based-pycs'}
        words = words[2 if takes_value else 1 :]
    if words[:1] == ['-m']:
        return words[1:2] == ['mmtmix']
    name = os.path.basename(words[0]) if words else ''
    return name in {'mmtmix', 'mmtmix.exe', 'mmtmix-script.py'}
