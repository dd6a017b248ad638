"""Generate a data set of mixed images, to train on beside the clean ones.

The images of a config's training set are mixed by its mixer, without random crops, and labelled
by its teacher. Run the same command again to complete a set that was broken off. The processes of
a launch share the work: give --launcher, as tools/dist_generate.sh does. Without it this process
makes the whole set, whatever RANK and WORLD_SIZE are in the environment.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path

from mmengine.config import DictAction
from mmengine.dist import get_rank, get_world_size
from rich.progress import track

from mmtmix.apps.generate import generate, write_pictures
from mmtmix.checks import check_path
from mmtmix.datasets.mixed_shards import DATASET_FILE, is_complete_set, verify_set
from mmtmix.engine.claims import claimed, on_main_process, wait_for_ranks
from mmtmix.engine.launch import end_launch, init_launcher
from mmtmix.engine.resuming import command_again, describe_shards_of
from mmtmix.utils import (
    CommandParser,
    add_trust_argument,
    add_variant_argument,
    check_device,
    default_work_dir,
    load_config,
    load_safely,
    run_command,
    stoppable,
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What to make, and where."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('config', help='config of a classifier that trains with a mixer of mmtmix')
    parser.add_argument('--out', help='folder of the set (default: the work dir of the config)')
    parser.add_argument('--num', type=int, help='mixed images to make')
    parser.add_argument('--seed', type=int)
    parser.add_argument('--shard-size', type=int, help='images a file (2000)')
    parser.add_argument(
        '--batch-size',
        type=int,
        help='mixes that are made at once (128); more suit a large GPU, and give another set',
    )
    parser.add_argument(
        '--keep-unfinished',
        action='store_true',
        help="keep also mixes whose top classes aren't those of the sources",
    )
    parser.add_argument(
        '--images', action='store_true', help='also write every image as a picture, to look at'
    )
    parser.add_argument(
        '--verify', action='store_true', help='at the end read and check every record'
    )
    parser.add_argument('--device', help='such as cpu or cuda:1; by default the accelerator')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='overrides')
    add_variant_argument(parser)
    add_trust_argument(parser)
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='what started the processes that share the work',
    )
    args = parser.parse_args(argv)
    if args.launcher != 'none' and (args.images or args.verify):
        parser.error(
            '--images and --verify are for one process; run without them, and then with them and '
            'without --launcher'
        )
    return args


def overrides(args: argparse.Namespace) -> dict:
    """The arguments that are fields of the config's ``generation``."""
    given = dict(
        num=args.num,
        seed=args.seed,
        shard_size=args.shard_size,
        batch_size=args.batch_size,
        keep='all' if args.keep_unfinished else None,
    )
    return {name: value for name, value in given.items() if value is not None}


def main(argv: list[str] | None = None) -> int:
    """Generate; returns the exit status."""
    argv = sys.argv[1:] if argv is None else argv
    args = parse_args(argv)
    if args.out is not None:
        check_path('--out', args.out)
    out = Path(args.out or default_work_dir(args.config, args.variant))
    again = command_again(__file__, argv)
    with stoppable(lambda: f'{describe_shards_of(out)}; to go on: {again}'):
        return make(args, out)


def make(args: argparse.Namespace, out: Path) -> int:
    """Make what is missing of a set; returns the exit status."""
    load_safely(args.trust_checkpoint)
    if args.device is not None:
        check_device('--device', args.device)
    cfg = load_config(args.config, args.cfg_options, args.variant)
    cfg.generation = {**(cfg.get('generation') or {}), **overrides(args)}
    init_launcher(args.launcher, cfg)
    # a complete set is only compared, and may lie where nothing can be written
    is_complete = on_main_process(lambda: is_complete_set(out))
    with nullcontext() if is_complete else claimed(out):
        generate(cfg, out, get_rank(), get_world_size(), args.device, wait_for_ranks)
        if args.images:
            print(f'pictures are in {write_pictures(out)}')
        status = verify(out) if args.verify else 0
    end_launch()
    return status


def verify(out: Path) -> int:
    """Check a set and say what is wrong; returns the exit status."""
    errors = verify_set(out, lambda shards: track(list(shards), 'Checking shards'))
    for error in errors:
        print(error, file=sys.stderr)
    print(
        f'{out / DATASET_FILE}: {f"{len(errors)} problems" if errors else "every record is good"}'
    )
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
