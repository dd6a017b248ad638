"""Mutation tests: what share of small faults do a folder's own tests notice?

mutmut plants the faults, one at a time, in a copy of the sources below ``build/mutants``, and
runs the tests that reach the changed function. Each folder of ``FOLDERS`` is tested by its own
folder of tests alone. What was tried is kept: the next run goes on, and begins anew only with the
functions that changed.

    python tests/strength/mutants.py run --sample 300 --seed 0
    python tests/strength/mutants.py report
    python tests/strength/mutants.py show mmtmix.functional.affine.x_warp__mutmut_3
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

from mutant_report import FOLDERS, Mutant, print_report, read_mutants, workspace
from plain_functions import undecorate

ROOT = Path(__file__).parents[2]
COPIED = ('mmtmix', 'tests', 'configs', 'tools', 'docs')
SETTINGS = """
[tool.mutmut]
source_paths = ["mmtmix"]
only_mutate = ["mmtmix/{folder}/*"]
also_copy = ["configs", "tools", "docs"]
pytest_add_cli_args = ["-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = ["{tests}"]
# forked from a server that has imported the host stack and run no test
process_isolation = "forkserver"
# seconds of the CPU: twice of (what the tests take + 5) * 2
timeout_multiplier = 2.0
timeout_constant = 5.0
use_git_change_detection = false
on_dependency_change = "ignore"
use_setproctitle = false
"""


def main() -> None:
    """Run the subcommand that was parsed."""
    args = parse_args()
    if args.command == 'show':
        show(args.mutant)
    elif args.command == 'report':
        print_report(args.folder, args.json)
    elif args.command == 'in-folder':
        run_here(args.names, args.jobs)
    else:
        for folder in args.folder:
            prepare(folder)
            start(folder, [], args.jobs)
        chosen = choose(args.folder, args.sample, args.seed)
        for folder in args.folder:
            names = [m.name for m in chosen if m.folder == folder and m.status == 'not checked']
            if args.again:
                left = (m for m in read_mutants(folder) if not m.is_text)
                names += [m.name for m in left if m.status in ('survived', 'no test')]
            if names:
                start(folder, names, args.jobs)
        print_report(args.folder, args.json)


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    commands = parser.add_subparsers(dest='command', required=True)
    run = commands.add_parser('run', help='plant faults, or go on with it, and print the report')
    run.add_argument('--sample', type=int, help='number of mutants over all folders; default all')
    run.add_argument('--seed', type=int, default=0, help='which sample')
    run.add_argument('--jobs', type=int, default=1, help='mutants tested at a time')
    run.add_argument('--again', action='store_true', help='test also what survived before')
    report = commands.add_parser('report', help='print what was found so far')
    for command in (run, report):
        command.add_argument('--folder', nargs='+', default=list(FOLDERS), choices=FOLDERS)
        command.add_argument('--json', type=Path, help='also write the figures to this file')
    commands.add_parser('show', help='print a mutant').add_argument('mutant')
    inner = commands.add_parser('in-folder', help='(internal) generate, and test these')
    inner.add_argument('--jobs', type=int, required=True)
    inner.add_argument('names', nargs='*')
    return parser.parse_args()


def prepare(folder: str) -> None:
    """Bring the copy for a folder up to date.

    Args:
        folder: A key of ``FOLDERS``.
    """
    target = workspace(folder)
    target.mkdir(parents=True, exist_ok=True)
    wanted: dict[Path, bytes] = {}
    for name in COPIED:
        for path in sorted((ROOT / name).rglob('*')):
            if path.is_file() and '__pycache__' not in path.parts:
                wanted[path.relative_to(ROOT)] = path.read_bytes()
    for path in wanted:
        if path.match(f'mmtmix/{folder}/*.py'):
            wanted[path] = undecorate(wanted[path].decode()).encode()
    settings = (ROOT / 'pyproject.toml').read_text().split('[tool.pytest.ini_options]')[1]
    settings = '[tool.pytest.ini_options]' + settings
    settings += SETTINGS.format(folder=folder, tests=FOLDERS[folder])
    wanted[Path('pyproject.toml')] = settings.encode()
    for place in (target, target / 'mutants'):
        for path in place.rglob('*.py'):
            relative = path.relative_to(place)
            if relative.parts[0] in COPIED and relative not in wanted:
                path.unlink()
    for path, content in wanted.items():
        copy = target / path
        if not copy.exists() or copy.read_bytes() != content:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
            mutated = target / 'mutants' / path
            if path.suffix == '.py' and mutated.exists():
                # mutmut copies a source only where there is none
                os.utime(copy)
                if not path.match(f'mmtmix/{folder}/*.py'):
                    shutil.copy2(copy, mutated)


def start(folder: str, names: list[str], jobs: int) -> None:
    """Test mutants in a process of their own, in the copy for a folder.

    Args:
        folder: A key of ``FOLDERS``.
        names: Names of mutants; empty to plant them without a test.
        jobs: Mutants tested at a time.
    """
    env = {
        **os.environ,
        'CUDA_VISIBLE_DEVICES': '',  # the autograd of a GPU does not survive a fork
        'OMP_NUM_THREADS': '1',
        'PYTHONPATH': '',
    }
    command = [sys.executable, str(Path(__file__).resolve()), 'in-folder', '--jobs', str(jobs)]
    log = workspace(folder) / 'mutmut.log'
    if names:
        print(f'{folder}: {len(names)} mutants to test; mutmut writes to {log}', flush=True)
    with log.open('w') as stream:
        result = subprocess.run(
            [*command, *names], cwd=workspace(folder), env=env, stdout=stream, stderr=stream
        )
    if result.returncode:
        raise SystemExit(f'mutmut failed, see the end of {log}')


def run_here(names: list[str], jobs: int) -> None:
    """Plant the mutants of the copy in the working directory, and test those of ``names``."""
    from mutmut import __main__ as mutmut  # reads the settings of the working directory

    if names:
        mutmut._run(names, jobs)
        return
    mutmut.set_mutant_under_test('mutant_generation')
    Path('mutants').mkdir(exist_ok=True)
    mutmut.copy_src_dir()
    mutmut.copy_also_copy_files()
    mutmut.create_mutants(1)


def choose(folders: list[str], sample: int | None, seed: int) -> list[Mutant]:
    """Choose mutants at random, the same for the same seed and sources."""
    mutants = [m for folder in folders for m in read_mutants(folder) if not m.is_text]
    mutants.sort(key=lambda m: m.name)
    if sample is not None and sample < len(mutants):
        mutants = random.Random(seed).sample(mutants, sample)
    print(f'{len(mutants)} mutants chosen')
    return mutants


def show(name: str) -> None:
    """Print what a mutant changes."""
    for folder in FOLDERS:
        for mutant in read_mutants(folder):
            if mutant.name == name:
                print(f'{mutant.file} ({mutant.status})', *mutant.change, sep='\n')


if __name__ == '__main__':
    main()
