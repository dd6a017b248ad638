"""Draw what augments make of the same images, with the same shares.

The config is that of a trained classifier, which is the teacher of the augments that have one. For
augments that need the network in training, it takes that network's place. TransformMix is
drawn if --mixer names the module of a search. Co-Mixup chooses itself which images it mixes.
"""

from __future__ import annotations

import argparse

from .arguments import add_config, add_device

EXAMPLE = 'mmtmix::simple/wrn28_cifar100.py --out mixers.png'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the picture and of its images."""
    add_config(parser, 'config of a trained classifier')
    parser.add_argument('--out', required=True, help='picture to write (.png, .pdf, .svg)')
    parser.add_argument(
        '--checkpoint', help="its weights (default: last.pth of the config's work dir)"
    )
    parser.add_argument('--mixer', help='mixer.pth of a search, for TransformMix')
    parser.add_argument(
        '--methods',
        nargs='+',
        metavar='NAME',
        help='augments to draw, such as CutMix PuzzleMix; all by default',
    )
    parser.add_argument('--num', type=int, default=5, help='number of pairs')
    parser.add_argument('--lam', type=float, default=0.5, help='share of the first image')
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of pairs and of everything random'
    )
    parser.add_argument('--split', choices=['train', 'val'], default='train')
    add_device(parser)


def check(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse a share out of range, and TransformMix without its module."""
    if not 0 <= args.lam <= 1:
        parser.error(f'--lam must be in [0, 1], got {args.lam}')
    if args.methods and 'TransformMix' in args.methods and not args.mixer:
        parser.error('TransformMix needs --mixer')
