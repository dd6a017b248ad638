"""Compare a grid that ran one job after the other with two that ran at once and were killed.

Every small experiment of ``configs/experiments_mini.yaml`` runs with its teacher, search and set,
all cut short, in a copy of the library. It runs serially, by ``--jobs 2`` and by ``--submit
local``. The latter two are broken off: the launch is killed, then a training, and then the launch
gets SIGTERM. The same command continues each time. In the end all reports, digests and weights
must be equal, bit by bit.

    python tests/strength/grid.py
    python tests/strength/grid.py --cells 'mini/classify' --ways serial jobs
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]
WAYS = {'serial': [], 'jobs': ['--jobs', '2'], 'local': ['--submit', 'local']}
PATIENCE = 900  # seconds in which a launch comes to its next moment
CHANGES = {
    '_base_/datasets/fashionmnist_mini.py': {
        'batch_size=128': 'batch_size=64',
        "split='train',": "split='train', indices=640,",
        "split='test',": "split='test', indices=250,",
    },
    '_base_/schedules/fashionmnist_mini_15e.py': {
        'total_steps=15': 'total_steps=4',
        'max_epochs=15, val_interval=5': 'max_epochs=4, val_interval=2',
    },
    '_base_/models/wrn16_fashionmnist.py': {'depth=16': 'depth=10'},
    'transformmix/search_wrn16_fashionmnist_mini.py': {
        'max_epochs=8, val_interval=4': 'max_epochs=2, val_interval=1'
    },
    'supermix/generate_wrn16_fashionmnist_mini.py': {'num=5000': 'num=64'},
    'supermix/offline_wrn16_fashionmnist_mini.py': {'5000, num_mixed=5000': '640, num_mixed=64'},
}


def make_copy(folder: Path) -> None:
    """Copy the library and its configs, and cut the schedules short.

    Args:
        folder: Folder of the copy.
    """
    ignore = shutil.ignore_patterns('__pycache__')
    for name in ('mmtmix', 'configs', 'tools'):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignore)
    for name, changes in CHANGES.items():
        path = folder / 'configs' / name
        text = path.read_text()
        for old, new in changes.items():
            if old not in text:
                raise ValueError(f'{old!r} is not in {path}; adapt CHANGES to the config')
            text = text.replace(old, new)
        path.write_text(text)


class Launch:
    """A grid in a copy of the library.

    Args:
        folder: Folder of the copy, which gets the work dirs.
        cells: Names of the cells.
        way: Arguments of ``reproduce run`` that choose how it runs.
    """

    def __init__(self, folder: Path, cells: list[str], way: list[str]):
        self.folder = folder
        self.cells = cells
        self.way = way

    def command(self, action: str, *words: str) -> list[str]:
        """Return the command line of a subcommand of ``reproduce``."""
        head = [sys.executable, '-m', 'mmtmix', 'reproduce', '--experiments']
        return [*head, 'configs/experiments_mini.yaml', action, *self.cells, *words]

    def start(self, *words: str) -> subprocess.Popen:
        """Start ``reproduce run``, whose output goes to a file."""
        env = dict(os.environ, PYTHONPATH=str(self.folder), OMP_NUM_THREADS='1')
        with open(self.folder / 'output', 'ab') as file:
            command = self.command('run', '--seeds', '1', *self.way)
            return subprocess.Popen(
                command, cwd=self.folder, env=env, stdout=file, stderr=subprocess.STDOUT
            )

    def finish(self) -> None:
        """Run it to its end.

        Raises:
            RuntimeError: If it fails.
        """
        if code := self.start().wait(PATIENCE):
            raise RuntimeError(f'{self.way} ended with status {code}:\n{self.tail()}')

    def break_off(self) -> list[str]:
        """Kill the launch, then a training, then end the launch; return what happened."""
        events = []
        launch = self.start()
        self.wait_for(launch, 'done in', 1)
        self.wait_for_worker('')
        working = self.workers()
        launch.kill()
        launch.wait()
        events.append(f'killed the launch while {len(working)} jobs ran')
        launch = self.start()
        self.wait_for(launch, 'done in', 2)
        folder, pid = self.wait_for_worker('seed0')
        os.kill(pid, signal.SIGKILL)
        events.append(f'killed the training in {folder}')
        self.wait_for(launch, 'FAILED, ', 1)
        if launch.poll() is None:
            launch.send_signal(signal.SIGTERM)
            events.append(f'SIGTERM to the launch; its status was {launch.wait(PATIENCE)}')
        return events

    def output(self) -> str:
        """Return all that the launches have written."""
        return (self.folder / 'output').read_text(errors='replace')

    def tail(self) -> str:
        """Return the last lines that the launches have written."""
        return '\n'.join(self.output().splitlines()[-30:])

    def wait_for(self, launch: subprocess.Popen, text: str, times: int) -> None:
        """Wait until the launches have written a text some times, or this one has ended."""
        end = time.monotonic() + PATIENCE
        while self.output().count(text) < times and launch.poll() is None:
            if time.monotonic() > end:
                raise RuntimeError(f'no {text!r} after {PATIENCE} s:\n{self.tail()}')
            time.sleep(0.2)

    def workers(self) -> dict[str, int]:
        """Return the processes that train now, by their work dirs."""
        found = {}
        for path in self.folder.glob('work_dirs/**/claim.json'):
            try:
                pid = json.loads(path.read_text())['pid']
                os.kill(pid, 0)
            except (OSError, ValueError):  # just given back
                continue
            found[str(path.parent.relative_to(self.folder))] = pid
        return found

    def wait_for_worker(self, part: str) -> tuple[str, int]:
        """Return the work dir of a job, which holds `part`, and the process that works on it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for name, pid in self.workers().items():
                if part in name and not (self.folder / name / 'last.pth').exists():
                    return name, pid
            time.sleep(0.05)
        raise RuntimeError(f'no job runs:\n{self.tail()}')

    def report(self) -> str:
        """Return the report of the finished grid."""
        env = dict(os.environ, PYTHONPATH=str(self.folder))
        command = self.command('report')
        found = subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, check=True
        )
        return found.stdout

    def results(self) -> dict[str, tuple[str, dict[str, torch.Tensor]]]:
        """Return digest and weights of all jobs, by their work dirs."""
        found = {}
        for path in sorted(self.folder.glob('work_dirs/**/run.json')):
            record = json.loads(path.read_text())
            if record['state'] != 'done':
                raise RuntimeError(f'{path} has the state {record["state"]}')
            weights = {}
            for name in ('last.pth', 'mixer.pth'):
                if (path.parent / name).exists():
                    content = torch.load(path.parent / name, weights_only=False)
                    weights = content.get('state_dict', content)
            found[str(path.parent.relative_to(self.folder))] = record['digest'], weights
        return found


def differences(one: Launch, other: Launch) -> list[str]:
    """Return how the results of two grids differ; empty if they are equal bit by bit.

    Args:
        one: Finished grid.
        other: Finished grid.
    """
    found = []
    if one.report() != other.report():
        found.append(f'the report:\n{one.report()}\n{other.report()}')
    first, second = one.results(), other.results()
    if first.keys() != second.keys():
        found.append(f'the jobs: {sorted(first.keys() ^ second.keys())}')
    for name in first.keys() & second.keys():
        (digest, weights), (other_digest, other_weights) = first[name], second[name]
        if digest != other_digest:
            found.append(f'the digest of {name}')
        for key, value in weights.items():
            if isinstance(value, torch.Tensor) and not torch.equal(value, other_weights[key]):
                found.append(f'{key} of {name}')
                break
    return found


def main() -> int:
    """Run the grids, compare them, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--cells', nargs='+', default=['mini/*'], metavar='CELL')
    parser.add_argument('--ways', nargs='+', default=list(WAYS), choices=list(WAYS))
    parser.add_argument('--folder', type=Path, help='folder for the copies; else a temporary one')
    args = parser.parse_args()
    folder = args.folder or Path(tempfile.mkdtemp(prefix='grid-'))
    launches, is_equal = {}, True
    for name in args.ways:
        start, before = time.monotonic(), _cpu_seconds()
        make_copy(folder / name)
        launches[name] = launch = Launch(folder / name, args.cells, WAYS[name])
        events = launch.break_off() if WAYS[name] else []
        launch.finish()
        took, cpu = time.monotonic() - start, _cpu_seconds() - before
        print(f'{name}: done after {took:.0f} s, {cpu:.0f} s of CPU', flush=True)
        for event in events:
            print(f'    {event}')
        lines = re.findall(
            r'^\[\d+/\d+\] \S+: (done|stopped|FAILED)', launch.output(), re.MULTILINE
        )
        print(f'    ends of jobs: {dict(Counter(lines))}', flush=True)
    first, *others = launches
    print(launches[first].report())
    for name in others:
        found = differences(launches[first], launches[name])
        is_equal = is_equal and not found
        jobs = len(launches[name].results())
        print(f'{first} and {name}, {jobs} jobs: {"; ".join(found) or "equal, bit by bit"}')
    if is_equal and args.folder is None:
        shutil.rmtree(folder)
    return 0 if is_equal else 1


def _cpu_seconds() -> float:
    """Return the CPU time of all ended processes that this one has started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == '__main__':
    sys.exit(main())
