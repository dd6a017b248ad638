"""Prepare a data set."""

from __future__ import annotations

import argparse
from pathlib import Path

from mmtmix.checks import check_choice
from mmtmix.datasets.sources import DATA_SETS

from .prepare import prepare


def run(args: argparse.Namespace) -> None:
    """Prepare a data set, or print the names of all.

    Args:
        args: Arguments of :mod:`mmtmix.cli.prepare`.

    Raises:
        FileNotFoundError: If something is missing.
        ValueError: If the data set is unknown, or a file is damaged or not what it should be.
    """
    if args.list:
        for name, data_set in DATA_SETS.items():
            print(f'{name:16}{data_set.title}')
        return
    check_choice('NAME', args.name, DATA_SETS)
    prepare(
        DATA_SETS[args.name],
        args.root or Path('data', args.name),
        args.archive,
        offline=args.offline,
        deep=args.deep,
        any_checksum=args.any_checksum,
    )
