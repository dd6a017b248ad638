"""Stands for sbatch, squeue, scontrol and srun; ``Cluster`` is the machine behind them.

The state is a file per task in the folder ``FAKE_SLURM``. Nothing runs before ``Cluster.run``.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = ('sbatch', 'squeue', 'scontrol', 'srun')


def sbatch(state: Path, words: list[str]) -> None:
    """Read a script, and add its tasks."""
    text = Path(words[-1]).read_text()
    options = {}
    for name, value in re.findall(r'^#SBATCH --([\w-]+)(?:=(.*))?$', text, re.MULTILINE):
        options[name] = value.strip('\'"') or True
    number = 100 + len(list(state.glob('*.submitted')))
    (state / f'{number}.submitted').write_text(json.dumps(options))
    tasks: list[int | None] = [None]
    if 'array' in options:
        last = int(re.match(r'0-(\d+)%\d+$', options['array'])[1])
        tasks = list(range(last + 1))
    after = options.get('dependency', 'afterok:').removeprefix('afterok:').split(':')
    for task in tasks:
        name = str(number) if task is None else f'{number}_{task}'
        fields = dict(name=options['job-name'], number=number, task=task, state='PENDING')
        fields |= dict(script=os.path.abspath(words[-1]), cwd=os.getcwd())
        fields |= dict(after=[each for each in after if each], restarts=0)
        (state / f'{name}.json').write_text(json.dumps(fields))
    print(f'Submitted batch job {number}')


def squeue(state: Path, words: list[str]) -> None:
    """Print the tasks that wait or run."""
    assert '--format=%F|%K|%T|%j' in words, words
    for path in sorted(state.glob('*.json')):
        each = json.loads(path.read_text())
        if each['state'] in ('PENDING', 'RUNNING', 'COMPLETING'):
            task = 'N/A' if each['task'] is None else each['task']
            print(f'{each["number"]}|{task}|{each["state"]}|{each["name"]}')


def scontrol(state: Path, words: list[str]) -> None:
    """Note that a task is to be started again."""
    assert words[0] == 'requeue', words
    (state / f'{words[1]}.requeue').touch()


def srun(state: Path, words: list[str]) -> None:
    """Become the program, whose output goes to a file."""
    assert words[:2] == ['--unbuffered', '--output'], words
    array, task = os.environ.get('SLURM_ARRAY_JOB_ID', ''), os.environ.get('SLURM_ARRAY_TASK_ID')
    name = os.environ['SLURM_JOB_ID'] if task is None else f'{array}_{task}'
    path = words[2].replace('%j', name).replace('%A', array).replace('%a', task or '')
    (state / f'{name}.pid').write_text(str(os.getpid()))
    output = os.open(path.replace('%t', '0'), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.execvp(words[3], words[3:])


class Cluster:
    """Runs the tasks that were submitted.

    Args:
        state: Folder of the state.
        bin: Folder for the commands, which must be on PATH.
    """

    def __init__(self, state: Path, bin: Path):
        self.state = state
        for folder in (state, bin):
            folder.mkdir()
        for name in COMMANDS:
            (bin / name).write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {name} "$@"\n')
            (bin / name).chmod(0o755)

    def tasks(self) -> dict[str, dict]:
        """Return all tasks by their numbers."""
        paths = sorted(self.state.glob('*.json'), key=lambda path: path.stat().st_mtime_ns)
        return {path.stem: json.loads(path.read_text()) for path in paths}

    def options(self, number: str) -> dict:
        """Return the options of a job or array."""
        return json.loads((self.state / f'{number}.submitted').read_text())

    def signal(self, name: str, *numbers: int) -> None:
        """Send signals to the process of a task, as the cluster does before it ends a task."""
        pid = int((self.state / f'{name}.pid').read_text())
        for number in numbers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def run(self, seconds: float = 240.0) -> None:
        """Run tasks until none is left that can run."""
        running: dict[str, subprocess.Popen] = {}
        end = time.monotonic() + seconds
        while True:
            assert time.monotonic() < end, self.tasks()
            tasks = self.tasks()
            for name, task in tasks.items():
                if name in running and running[name].poll() is not None:
                    self._end(name, task, running.pop(name).returncode)
                elif task['state'] == 'PENDING':
                    states = [tasks[each]['state'] for each in task['after']]
                    if any(each in ('FAILED', 'CANCELLED') for each in states):
                        self._set(name, task, state='CANCELLED')
                    elif all(each == 'COMPLETED' for each in states):
                        self._set(name, task, state='RUNNING')
                        running[name] = self._start(name, task)
            waiting = [each for each in self.tasks().values() if each['state'] == 'PENDING']
            if not running and not waiting:
                return
            time.sleep(0.02)

    def _set(self, name: str, task: dict, **fields: object) -> None:
        path = self.state / f'.{name}'
        path.write_text(json.dumps(task | fields))
        path.rename(self.state / f'{name}.json')

    def _end(self, name: str, task: dict, code: int) -> None:
        requeue = self.state / f'{name}.requeue'
        if requeue.exists():
            requeue.unlink()
            self._set(name, task, state='PENDING', restarts=task['restarts'] + 1)
        else:
            self._set(name, task, state='FAILED' if code else 'COMPLETED')

    def _start(self, name: str, task: dict) -> subprocess.Popen:
        env = dict(os.environ, SLURM_JOB_ID=str(task['number']), SLURM_NTASKS='1')
        env |= dict(SLURM_JOB_NUM_NODES='1', SLURM_NODEID='0', SLURM_PROCID='0', SLURM_LOCALID='0')
        if task['task'] is not None:
            env |= dict(SLURM_ARRAY_JOB_ID=str(task['number']))
            env |= dict(SLURM_ARRAY_TASK_ID=str(task['task']))
        return subprocess.Popen(['bash', task['script']], env=env, cwd=task['cwd'])


if __name__ == '__main__':
    globals()[sys.argv[1]](Path(os.environ['FAKE_SLURM']), sys.argv[2:])
