"""Generate a data set of mixed images, to train on beside the clean ones.

The images of a config's training set are mixed by its augment, without random crops, and labelled
by its teacher. The same command completes a set that was interrupted. Started several times, by
hand, by srun or in an array job, it shares the work: each process claims one shard after another.
--launcher only names the variables from which each process takes its GPU.
"""

from __future__ import annotations

import argparse

from .arguments import add_config, add_device, add_launcher

EXPORTS = ('webdataset', 'parquet')
EXAMPLE = 'mmtmix::supermix/generate_resnet110_cifar100.py --out data/mixed --num 50000'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the set: its config, folder, size and seed."""
    add_config(parser, 'config of a classifier that trains with an augment of mmtmix')
    parser.add_argument('--out', help='folder of the set (default: the work dir of the config)')
    parser.add_argument('--num', type=int, help='number of mixed images')
    parser.add_argument('--seed', type=int, help='seed of sources, shares and mixes')
    parser.add_argument('--shard-size', type=int, help='images per file (2000)')
    parser.add_argument(
        '--batch-size',
        type=int,
        help='mixes that are made at once (128); another number makes another set',
    )
    parser.add_argument(
        '--keep-unfinished',
        action='store_true',
        help='also keep mixes whose top classes are not those of the sources',
    )
    parser.add_argument(
        '--images', action='store_true', help='also write every image as a picture'
    )
    parser.add_argument(
        '--verify', action='store_true', help='at the end read and check every record'
    )
    parser.add_argument(
        '--export',
        choices=EXPORTS,
        help='also write the complete set as tars for WebDataset, or as Parquet files for the '
        'library datasets',
    )
    parser.add_argument(
        '--export-dir', metavar='DIR', help='folder of the export (a folder in that of the set)'
    )
    add_device(parser)
    add_launcher(parser)


def check(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse arguments that need others."""
    if args.export_dir is not None and args.export is None:
        parser.error('--export-dir needs --export webdataset or --export parquet')
