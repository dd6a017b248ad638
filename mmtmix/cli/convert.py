"""Convert a public checkpoint into one of this library.

It reads the files of the distillation zoo and of PuzzleMix, and state dicts of torchvision and
timm. Any key that is left over or missing stops the conversion.
"""

from __future__ import annotations

import argparse

EXAMPLE = 'resnet50-11ad3fa6.pth --arch resnet50_imagenet --out resnet50.pth'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the source, the target and the network."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        'source', nargs='?', help='checkpoint of another code base, a file or an address'
    )
    which.add_argument('--list', action='store_true', help='print the names of all networks')
    parser.add_argument('target', nargs='?', help='old form of --out')
    parser.add_argument('--out', help='checkpoint to write')
    parser.add_argument('--arch', metavar='NAME', help='network; see --list')
    parser.add_argument(
        '--num-classes',
        type=int,
        metavar='N',
        help="number of the file's classes, if it is not that of the network's config",
    )
    parser.add_argument(
        '--trust-source',
        action='store_true',
        help='load also what holds more than tensors: this runs whatever code is in the file',
    )
    parser.add_argument('--force', action='store_true', help='replace a file that exists')


def check(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Take the target from ``--out`` or its old form; refuse missing arguments."""
    if args.list:
        return
    if args.out and args.target:
        parser.error(f'give --out {args.out} or {args.target}, not both')
    args.out = args.out or args.target
    for flag in ('out', 'arch'):
        if not getattr(args, flag):
            parser.error(f'--{flag} is required')
