"""Generate a data set of mixed images."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.progress import track

from mmtmix.checks import check_path
from mmtmix.datasets.mixed_shards import DATASET_FILE, is_complete_set, verify_set
from mmtmix.engine.local_device import find_place, own_device
from mmtmix.engine.resuming import command_again, describe_shards_of
from mmtmix.utils import (
    check_device,
    check_output_folder,
    default_work_dir,
    load_config,
    load_safely,
    stoppable,
)

from .export import check_export, export_set
from .generate import generate
from .pictures import write_pictures


def overrides(args: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments that override fields of the config's ``generation``.

    Args:
        args: Arguments of :mod:`mmtmix.cli.generate`.
    """
    given = dict(
        num=args.num,
        seed=args.seed,
        shard_size=args.shard_size,
        batch_size=args.batch_size,
        keep='all' if args.keep_unfinished else None,
    )
    return {name: value for name, value in given.items() if value is not None}


def run(args: argparse.Namespace) -> int:
    """Generate a set and return the exit status.

    Args:
        args: Arguments of :mod:`mmtmix.cli.generate`.

    Raises:
        FileNotFoundError: If the config, a checkpoint or the data does not exist.
        ValueError: If a config or an argument is wrong.
    """
    if args.out is not None:
        check_path('--out', args.out)
    out = Path(args.out or default_work_dir(args.config, args.variant))
    again = command_again('generate', args.argv)
    with stoppable(lambda: f'{describe_shards_of(out)}; to go on: {again}'):
        return make(args, out)


def make(args: argparse.Namespace, out: Path) -> int:
    """Make the missing shards of a set, and return the exit status.

    Args:
        args: Arguments of :mod:`mmtmix.cli.generate`.
        out: Folder of the set.
    """
    load_safely(args.trust_checkpoint)
    if args.export is not None:
        check_export(out, args.export, args.export_dir)
    place = find_place(args.launcher)
    device, note = own_device(args.device, place.local_rank)
    if device is not None:
        check_device('--device', device)
    if device is not None and device.startswith('cuda:'):
        torch.cuda.set_device(device)
    cfg = load_config(args.config, args.cfg_options, args.variant)
    cfg.generation = {**(cfg.get('generation') or {}), **overrides(args)}
    # a complete set is only compared, and may lie where nothing can be written
    if not is_complete_set(out):
        check_output_folder('--out', out)
    if note:
        print(note)
    is_first = place.rank == 0
    generate(cfg, out, device, shows_progress=is_first)
    if args.images:
        pictures = write_pictures(out)
        if is_first:
            print(f'pictures are in {pictures}')
    status = verify(out) if args.verify and is_first else 0
    if is_first and args.export is not None and not status:
        shown = partial(track, description=f'Exporting as {args.export}')
        print(f'the export is in {export_set(out, args.export, args.export_dir, shown)}')
    if is_first:
        print(describe_shards_of(out))
    return status


def verify(out: Path) -> int:
    """Check a set, print what is wrong, and return the exit status.

    Args:
        out: Folder of the set.
    """
    errors = verify_set(out, lambda shards: track(list(shards), 'Checking shards'))
    for error in errors:
        print(error, file=sys.stderr)
    print(
        f'{out / DATASET_FILE}: {f"{len(errors)} problems" if errors else "every record is good"}'
    )
    return 1 if errors else 0
