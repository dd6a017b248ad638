"""Print how many faults of each kind the tests try, and how many are survived, as Markdown.

    python tests/strength/reliability.py

A table test counts its cases, any other test counts as one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
ROWS = {
    'files that would run code, on every way into a tool': ['test_tools/test_hostile_files.py'],
    'pickles, downloads and damaged checkpoints': [
        'test_utils/test_checkpoint.py',
        'test_utils/test_checkpoint_of_runs.py',
    ],
    'archives that lead elsewhere, are damaged or fill the disk': [
        'test_datasets/test_sources/test_unpacking.py'
    ],
    'checkpoints cut, empty, flipped, missing, moved': ['test_engine/test_newest_checkpoint.py'],
    'damaged sets of mixed images': [
        'test_datasets/test_mixed_sets.py',
        'test_datasets/test_mixed_shards.py',
        'test_apps/test_generate/test_folder.py',
    ],
    'losses, weights, saliency and theta that are not finite': [
        'test_engine/test_hooks/test_finite_stop_hook.py',
        'test_models/test_augments/test_not_finite.py',
    ],
    'arguments of wrong type, range, spelling': ['test_bad_inputs'],
    'errors of users in every tool: one line, exit status 2': ['test_tools/test_errors.py'],
    'wrong settings found before the first stage': ['test_apps/test_train'],
    'several launches at once': ['test_utils/test_claims.py', 'test_engine/test_stages.py'],
    'full disks, folders that cannot be written': [
        'test_utils/test_files.py',
        'test_engine/test_checkpoints.py',
        'test_engine/test_hooks/test_keeping_checkpoint_hook.py',
    ],
    'SIGTERM and Ctrl-C': [
        'test_engine/test_hooks/test_signal_stop_hook.py',
        'test_tools/test_signals.py',
        'test_utils/test_stopping.py',
    ],
    'reproductions killed, or with a bad cell': [
        'test_apps/test_reproduce/test_cluster.py',
        'test_apps/test_reproduce/test_grid.py',
        'test_apps/test_reproduce/test_plan.py',
        'test_apps/test_reproduce/test_slurm.py',
    ],
    'damaged image files': ['test_datasets/test_loading.py'],
    'properties of random batches, by mixer and function': [
        'test_models/test_augments/test_properties.py',
        'test_functional/test_properties.py',
    ],
}


def main() -> int:
    """Run the tests and print the table; returns the exit status of pytest."""
    paths = [f'tests/{path}' for row in ROWS.values() for path in row]
    missing = [path for path in paths if not (ROOT / path).exists()]
    if missing:
        raise FileNotFoundError(f'no such tests: {", ".join(missing)}')
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, 'report.xml')
        command = [sys.executable, '-m', 'pytest', '-q', f'--junitxml={report}', *paths]
        status = subprocess.run(command, cwd=ROOT).returncode
        cases = list(ElementTree.parse(report).iter('testcase'))
    print('\n| kind of fault | tried | survived |\n|---|---|---|')
    for kind, files in ROWS.items():
        tried = survived = 0
        for case in cases:
            name = case.get('classname', '').removeprefix('tests.').replace('.', '/')
            if any(f'{name}.py' == file or name.startswith(f'{file}/') for file in files):
                tried += _size(case)
                survived += _size(case) * (not _failed(case))
        print(f'| {kind} | {tried} | {survived} |')
    return status


def _size(case: ElementTree.Element) -> int:
    counted = [each for each in case.iter('property') if each.get('name') == 'cases']
    return sum(int(each.get('value', '0')) for each in counted) if counted else 1


def _failed(case: ElementTree.Element) -> bool:
    return any(case.find(kind) is not None for kind in ('failure', 'error', 'skipped'))


if __name__ == '__main__':
    sys.exit(main())
