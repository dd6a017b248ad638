"""Evaluate a checkpoint."""

from __future__ import annotations

import argparse

from .arguments import add_config, add_launcher

EXAMPLE = 'mmtmix::simple/wrn28_cifar100.py work_dirs/simple/wrn28_cifar100/last.pth'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add MMPretrain's arguments."""
    add_config(parser, 'config of the network')
    parser.add_argument('checkpoint', metavar='CHECKPOINT', help='checkpoint file')
    parser.add_argument('--work-dir', help='folder of logs')
    parser.add_argument('--out', help='file for the results (.json or .pkl)')
    parser.add_argument(
        '--out-item',
        choices=['metrics', 'pred'],
        default='metrics',
        help='what to write: the metrics, or all predictions (.pkl only)',
    )
    parser.add_argument(
        '--amp', action='store_true', help='test in mixed precision, if that is faster here'
    )
    parser.add_argument(
        '--show-dir', help='folder for pictures of the test images with label and prediction'
    )
    parser.add_argument(
        '--interval', type=int, default=1, help='draw every n-th image, with --show-dir'
    )
    parser.add_argument(
        '--tta',
        action='store_true',
        help='average the scores of each test image and its mirror image, or of what tta_pipeline '
        'and tta_model of the config name',
    )
    parser.add_argument(
        '--no-pin-memory', action='store_true', help="don't load batches into pinned memory"
    )
    add_launcher(parser)
