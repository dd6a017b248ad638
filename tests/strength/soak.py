"""A soak: break a launch off at random times, resume it, and compare it with an unbroken one.

The launch has all stages: a teacher, a search, a set of mixed images, a student and a distilled
student. A kill has survived if the launch ends with the same weights and mixed images, bit by bit.

    python tests/strength/soak.py --minutes 20
    python tests/strength/soak.py --minutes 5 --rows 'cut checkpoint' 'flipped checkpoint'
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2]))
from soak_job import JOB, ROOT, find_difference, newest_checkpoint, write_job

MOST_KILLS = 3
# seconds: a launch that takes longer than this many times the unbroken one hangs
PATIENCE, MERCY = 10, 60


def cut(path: Path) -> None:
    """Leave the first half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """Turn over one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@dataclass
class Row:
    """A kind of trial.

    Args:
        by_epoch: Whether the launch trains by epochs; otherwise by iterations.
        signal: What breaks it off.
        damage: What is done to the newest checkpoint before the launch is resumed.
        tried: Number of kills or damages.
        survived: Number of those whose launch ended as the unbroken one.
        reasons: What went wrong in the others.
    """

    by_epoch: bool = True
    signal: signal.Signals = signal.SIGKILL
    damage: Callable[[Path], None] | None = None
    tried: int = 0
    survived: int = 0
    reasons: list[str] = field(default_factory=list)


ROWS = {
    'SIGKILL, by epochs': Row(),
    'SIGKILL, by iterations': Row(by_epoch=False),
    'SIGTERM, by epochs': Row(signal=signal.SIGTERM),
    'SIGTERM, by iterations': Row(by_epoch=False, signal=signal.SIGTERM),
    'cut checkpoint': Row(damage=cut),
    'empty checkpoint': Row(damage=lambda path: path.write_bytes(b'')),
    'flipped checkpoint': Row(damage=flip),
    'missing checkpoint': Row(damage=Path.unlink),
    'empty last_checkpoint': Row(
        by_epoch=False, damage=lambda path: path.with_name('last_checkpoint').write_text('')
    ),
}


@dataclass
class Launch:
    """The job in a folder of its own.

    Args:
        folder: Where it runs.
        number: How often it was started.
    """

    folder: Path
    number: int = 0

    def run(self, seconds: float, kind: signal.Signals | None = None) -> int | None:
        """Start or resume it.

        Args:
            seconds: Longest time that it may run.
            kind: Signal that it gets then.

        Returns:
            Its exit status; None if it did not end in time, or after the signal.
        """
        self.number += 1
        env = {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
        command = [sys.executable, str(ROOT / 'tools' / 'train.py'), JOB, '--resume']
        with (self.folder / f'launch_{self.number}.log').open('w') as log:
            process = subprocess.Popen(
                command, cwd=self.folder, env=env, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                return process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(kind or signal.SIGKILL)
                try:
                    process.wait(MERCY)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    return None
                return process.returncode if kind else None
            except BaseException:
                process.kill()
                process.wait()
                raise


@dataclass
class Soak:
    """Trials against unbroken launches.

    Args:
        place: Folder for all launches.
        rng: Source of the times of kills.
    """

    place: Path
    rng: random.Random
    unbroken: dict[bool, tuple[Launch, float]] = field(default_factory=dict)
    trials: int = 0

    def expected(self, by_epoch: bool) -> tuple[Launch, float]:
        """Return the unbroken launch and the seconds that it took."""
        if by_epoch not in self.unbroken:
            launch = self.start(by_epoch, f'unbroken_{"epochs" if by_epoch else "iterations"}')
            begin = time.monotonic()
            status = launch.run(1800)
            if status != 0:
                raise SystemExit(f'the unbroken launch failed, see {launch.folder}/launch_1.log')
            self.unbroken[by_epoch] = launch, time.monotonic() - begin
        return self.unbroken[by_epoch]

    def start(self, by_epoch: bool, name: str) -> Launch:
        """Write the job into a new folder."""
        folder = self.place / name
        folder.mkdir(parents=True)
        write_job(folder, by_epoch)
        return Launch(folder)

    def attempt(self, row: Row) -> None:
        """Break one launch off, resume it to its end, and count."""
        expected, seconds = self.expected(row.by_epoch)
        self.trials += 1
        launch = self.start(row.by_epoch, f'trial_{self.trials}')
        kills, status = self.break_off(row, launch, seconds)
        if kills and status not in (None, 0):
            status = launch.run(PATIENCE * seconds)
        reason = f'launch {launch.number} ended with {"no" if status is None else status} status'
        if status == 0:
            reason = find_difference(launch.folder, expected.folder)
        row.tried += kills
        if not reason:
            row.survived += kills
            shutil.rmtree(launch.folder)
        elif kills:
            row.reasons.append(f'{reason}, see {launch.folder}')

    def break_off(self, row: Row, launch: Launch, seconds: float) -> tuple[int, int | None]:
        """Kill it up to ``MOST_KILLS`` times, or until its checkpoint could be damaged.

        Returns:
            Number of kills or damages, and the last exit status.
        """
        kills = 0
        for _ in range(MOST_KILLS):
            # the first part imports; a resumed launch has less to do and may end before
            status = launch.run(self.rng.uniform(0.25, 0.85) * seconds, row.signal)
            if status is None or status == 0:
                return kills, status
            if row.damage is None:
                kills += 1
            elif (checkpoint := newest_checkpoint(launch.folder)) is not None:
                row.damage(checkpoint)
                return 1, status
        return kills, status


def main() -> int:
    """Soak, print a table, and return 1 if something did not survive."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--minutes', type=float, default=20, help='no trial begins after these')
    parser.add_argument('--rows', nargs='+', default=list(ROWS), choices=ROWS)
    parser.add_argument('--seed', type=int, default=0, help='which times')
    parser.add_argument('--json', type=Path, help='also write the figures to this file')
    args = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix='mmtmix_soak_'))
    soak, end = Soak(place, random.Random(args.seed)), time.monotonic() + 60 * args.minutes
    rows = {name: ROWS[name] for name in args.rows}
    while time.monotonic() < end:
        for row in rows.values():
            if time.monotonic() < end:
                soak.attempt(row)
    print('| row | tried | survived |\n|---|---|---|')
    for name, row in rows.items():
        print(f'| {name} | {row.tried} | {row.survived} |')
    for name, row in rows.items():
        for reason in row.reasons:
            print(f'{name}: {reason}')
    if args.json:
        figures = {n: dict(tried=r.tried, survived=r.survived) for n, r in rows.items()}
        args.json.write_text(json.dumps(figures, indent=2) + '\n')
    failed = any(row.survived < row.tried for row in rows.values())
    if not failed:
        shutil.rmtree(place)
    return int(failed)


if __name__ == '__main__':
    sys.exit(main())
