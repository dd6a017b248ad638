"""Run a page's shell block by bash, with our own commands in the process of the tests.

Bash reads the whole block, so pipes, variables, ``cd`` and ``&&`` mean what they mean to a user.
Only `mmtmix` and `python` are programs of ours, which hand their words to this process: starting
one that imports the host stack takes 7 seconds and more.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import shlex
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.registry import Registry
from mmpretrain import registry

from mmtmix.cli.main import main, run
from mmtmix.program import TOOLS

from .page import ROOT

CLIENT = Path(__file__).with_name('client.py')
SECONDS = 300  # after which a block counts as hanging
_PROGRAM = """#!/bin/sh
exec {python} -I -S {client} {address} {name} "$@"
"""


def run_shell(text: str, folder: Path, forget: Callable[[], None]) -> str:
    """Run a block by ``bash -e`` in a folder and return what it printed.

    Args:
        text: Commands.
        folder: Folder in which they run.
        forget: Function that clears what a run leaves in MMEngine, called after each command.

    Raises:
        AssertionError: If a command fails; the message has what the block printed.
    """
    with tempfile.TemporaryDirectory() as programs, socket.socket(socket.AF_UNIX) as server:
        address = os.path.join(programs, 'socket')
        server.bind(address)
        server.listen()
        server.settimeout(0.05)
        for name in ('mmtmix', 'python'):
            path = Path(programs, name)
            words = dict(python=sys.executable, client=CLIENT, address=address, name=name)
            path.write_text(_PROGRAM.format(**{k: shlex.quote(str(v)) for k, v in words.items()}))
            path.chmod(0o755)
        environment = dict(os.environ, PATH=os.pathsep.join([programs, os.environ['PATH']]))
        environment |= dict(PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1', MMTMIX_MALLOPT='0')
        with tempfile.TemporaryFile('w+') as printed:
            shell = subprocess.Popen(
                ['bash', '-e', '-c', text],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )
            try:
                _serve(shell, server, folder, forget)
            finally:
                shell.kill()
                shell.wait()
            printed.seek(0)
            output = printed.read()
    assert shell.returncode == 0, f'exit status {shell.returncode} of\n{text}\n{output}'
    return output


def _serve(
    shell: subprocess.Popen, server: socket.socket, folder: Path, forget: Callable[[], None]
) -> None:
    """Answer the programs of a shell until it ends."""
    waits = 0
    while shell.poll() is None:
        try:
            link, _ = server.accept()
        except TimeoutError:
            waits += 1
            assert waits * 0.05 < SECONDS, f'the block still runs after {SECONDS} s'
            continue
        with link, link.makefile('rw') as stream:
            request = json.loads(stream.readline())
            answer = run_program(**request, page_folder=folder)
            forget()
            with contextlib.suppress(BrokenPipeError):  # of `| head`
                stream.write(json.dumps(answer) + '\n')
                stream.flush()


def run_program(
    words: Sequence[str], folder: str, environment: Mapping[str, str], page_folder: Path
) -> dict[str, Any]:
    """Run ``mmtmix ...`` or ``python ...`` here, as if in a process of its own.

    Args:
        words: Name of the program and its arguments.
        folder: Working directory.
        environment: Environment of the program.
        page_folder: Folder of the page; modules in it are forgotten afterwards.

    Returns:
        The exit ``status``, and the texts ``out`` and ``err``.
    """
    name, *arguments = words
    out, err = io.StringIO(), io.StringIO()
    with forgetting_modules(page_folder), _in_place(folder, environment):
        sys.argv = ['mmtmix', *arguments] if name == 'mmtmix' else [*arguments]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                if name == 'mmtmix':
                    status = main(arguments)
                else:
                    status = _python(arguments, folder, environment)
            except SystemExit as end:
                if isinstance(end.code, str):
                    print(end.code, file=sys.stderr)
                status = end.code if isinstance(end.code, int) else int(end.code is not None)
            except Exception:
                traceback.print_exc()
                status = 1
    return dict(status=status, out=out.getvalue(), err=err.getvalue())


def _python(arguments: Sequence[str], folder: str, environment: Mapping[str, str]) -> int:
    """Run a command, a tool of this repository or a script here, and anything else by Python."""
    first = arguments[0] if arguments else ''
    if arguments[:2] == ['-m', 'mmtmix']:
        return main(arguments[2:])
    tool, own = Path(first), {script: command for command, script in TOOLS.items()}
    if tool.parent.name == 'tools' and tool.name in own:
        return run(own[tool.name], arguments[1:], tool.name)
    if first.endswith('.py'):
        path = Path(folder, first)
        path = path if path.exists() or tool.parent.name != 'tools' else ROOT / tool
        sys.path.insert(0, str(path.parent))
        runpy.run_path(str(path), run_name='__main__')
        return 0
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode


@contextlib.contextmanager
def _in_place(folder: str | Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Be in a folder, with an environment, until the end."""
    saved = dict(os.environ), os.getcwd(), sys.argv, list(sys.path)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved[0])
        os.chdir(saved[1])
        sys.argv, sys.path[:] = saved[2], saved[3]


@contextlib.contextmanager
def forgetting_modules(folder: str | Path) -> Iterator[None]:
    """Forget modules in a folder, and classes that they or a script register, at the end.

    Modules of libraries stay: they register once, when they are imported first.

    Args:
        folder: Folder of a page.
    """
    before = {id(each): set(each.module_dict) for each in _registries()}
    try:
        yield
    finally:
        inside = os.path.join(os.path.realpath(folder), '')
        names = [name for name, module in sys.modules.items() if _lies_in(module, inside)]
        for name in names:
            del sys.modules[name]
        for each in _registries():
            for key in set(each.module_dict) - before.get(id(each), set()):
                if each.module_dict[key].__module__ in {'__main__', 'page', *names}:
                    del each.module_dict[key]


def _registries() -> list[Registry]:
    return [each for each in vars(registry).values() if isinstance(each, Registry)]


def _lies_in(module: Any, folder: str) -> bool:
    file = getattr(module, '__file__', None)
    return isinstance(file, str) and file.startswith(folder)
