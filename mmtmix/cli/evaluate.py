"""Measure calibration, robustness and saliency of a trained classifier.

Each suite is run once. The same command goes on after a stop, and other suites join the same file.
A table of one row is printed. Images are those of the config's test_dataloader.
"""

from __future__ import annotations

import argparse

from .arguments import add_config, add_device

EXAMPLE = (
    'mmtmix::simple/wrn28_cifar100.py work_dirs/simple/wrn28_cifar100/last.pth '
    '--suite calibration fgsm --num-images 1000'
)
SUITES = ('calibration', 'corruptions', 'fgsm', 'pgd', 'occlusion', 'cam')
ORDERS = ('random', 'salient', 'centre')
DTYPES = ('float32', 'auto', 'bfloat16', 'float16')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of what is evaluated, by which suites, and where results go."""
    add_config(parser, 'config of the network')
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='checkpoint file')
    parser.add_argument(
        '--suite', nargs='+', choices=SUITES, required=True, metavar='SUITE',
        help=f'what is measured, some of: {", ".join(SUITES)}',
    )  # fmt: skip
    parser.add_argument(
        '--num-images', type=int, metavar='N',
        help='number of images, balanced over the classes by --seed (default: all)',
    )  # fmt: skip
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of everything random (default: 0)'
    )
    add_device(parser)
    parser.add_argument(
        '--dtype', choices=DTYPES, default='float32',
        help='dtype of forward passes; attacks are always in float32 (default: float32)',
    )  # fmt: skip
    _add_suites(parser)
    group = parser.add_argument_group('output')
    group.add_argument(
        '--out', metavar='FILE.json', help='results (default: CHECKPOINT.evaluation.json)'
    )
    group.add_argument(
        '--pictures', metavar='DIR', help='folder of pictures; suites that are done run again'
    )


def _add_suites(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('calibration')
    group.add_argument('--num-bins', type=int, default=15, help='number of bins (default: 15)')
    group = parser.add_argument_group('corruptions')
    group.add_argument('--kinds', nargs='+', metavar='KIND', help='kinds (default: all 15)')
    group.add_argument(
        '--severities', nargs='+', type=int, metavar='S', help='severities, 1 to 5 (default: all)'
    )
    group.add_argument(
        '--corrupted-set', metavar='DIR',
        help='published set, as CIFAR-10-C or ImageNet-C, in place of corruptions drawn here',
    )  # fmt: skip
    group.add_argument(
        '--baseline', metavar='FILE.json',
        help="results of another network, which the mCE is relative to; 'alexnet' for ImageNet-C",
    )  # fmt: skip
    group.add_argument(
        '--channel-order', choices=('rgb', 'bgr'),
        help='order of the channels in the test pipeline, where the config does not determine it',
    )  # fmt: skip
    group = parser.add_argument_group('fgsm, pgd')
    group.add_argument(
        '--eps', nargs='+', type=float, metavar='E',
        help='distances in units of 0 to 255 (default: 1 2 4 8)',
    )  # fmt: skip
    group.add_argument('--steps', type=int, default=10, help='steps of PGD (default: 10)')
    group = parser.add_argument_group('occlusion')
    group.add_argument(
        '--shares', nargs='+', type=float, metavar='S',
        help='shares of hidden patches (default: 0.1 0.3 0.5 0.7 0.9)',
    )  # fmt: skip
    group.add_argument(
        '--orders', nargs='+', choices=ORDERS, metavar='ORDER',
        help='which patches are hidden first: random, salient, centre (default: random salient)',
    )  # fmt: skip
    group.add_argument(
        '--grid', type=int, help='patches per side (default: 14 from 112 pixels on, else 8)'
    )
    group = parser.add_argument_group('cam')
    group.add_argument(
        '--boxes', metavar='FILE',
        help='boxes by image, {"NAME.jpg": [left, top, right, bottom]}, or the file of CUB',
    )  # fmt: skip
    group.add_argument(
        '--cam-threshold', type=float, default=0.2,
        help='share of the maximum that bounds the object in a map (default: 0.2)',
    )  # fmt: skip
