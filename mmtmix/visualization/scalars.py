"""The log that MMEngine's local backend wrote of a run, over all its resumptions."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True)
class Scalars:
    """The log of a work dir.

    Attributes:
        train: Records of training, by ``step`` (iterations done).
        val: Records of validation, by ``step`` (epochs done, or iterations in a run without
            epochs).
        by_epoch: Whether the run counts epochs.
        epoch_length: Number of iterations per epoch; 1 in a run without epochs.
    """

    train: list[Record]
    val: list[Record]

    @property
    def by_epoch(self) -> bool:
        return all('epoch' in record for record in self.train)

    @property
    def epoch_length(self) -> int:
        if not self.by_epoch:
            return 1
        # exact where the last iteration of any epoch is logged, as it is for short epochs
        return math.ceil(max(record['step'] / record['epoch'] for record in self.train))


def read_scalars(work_dir: str | os.PathLike) -> Scalars:
    """Read the training log of a work dir.

    Each launch has a folder of its own. Its records replace those that earlier launches logged
    from its first step on.

    Args:
        work_dir: Work dir of a run with MMEngine's ``LocalVisBackend``.

    Returns:
        The log.

    Raises:
        FileNotFoundError: If there is no log of a training run.
        ValueError: If a log is damaged, other than by an interruption at its end.
    """
    files = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    train: list[Record] = []
    val: list[Record] = []
    for file in files:
        records = _read_lines(file)
        new = [record for record in records if 'iter' in record]
        if not new:
            continue  # stopped before its first record, or only a validation
        step, epoch = new[0]['step'], new[0].get('epoch', new[0]['step'])
        train = [record for record in train if record['step'] < step] + new
        # the epoch of the first record was not yet validated, and no earlier one will be again
        val = [record for record in val if record['step'] < epoch]
        val += [record for record in records if 'iter' not in record]
    if not train:
        raise FileNotFoundError(
            f'no training log in {str(work_dir)!r}: no <timestamp>/vis_data/scalars.json there '
            'has a record of training. Give the work dir of a run whose visualizer has a '
            'LocalVisBackend: tools/train.py always adds one, other tools need it in '
            'visualizer.vis_backends'
        )
    return Scalars(train, val)


def _read_lines(file: Path) -> list[Record]:
    lines = file.read_text().splitlines()
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError as error:
            if number == len(lines):
                break  # the run was killed while it wrote this
            raise ValueError(f'{file} is damaged in line {number}: {error}') from error
    return records
