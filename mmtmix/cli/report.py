"""Write one HTML file about a run, or about several side by side.

The file needs nothing beside it: no network, no script, no other file. It has what the work dirs
hold: config and its differences, stages, curves, panels of mixes, cost and environment. Accuracy
per class, confusion and calibration need predictions on the test images. They are made once, if
the last checkpoint and the images are there, and kept in the work dir.
"""

from __future__ import annotations

import argparse

from .arguments import add_device, add_trust

EXAMPLE = 'work_dirs/cutmix/wrn28_cifar100 work_dirs/transformmix/wrn28_cifar100'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the work dirs, the page, and whether predictions are made."""
    parser.add_argument(
        'work_dirs',
        metavar='WORK_DIR',
        nargs='+',
        help='work dir of a run; of several, the first is the one that others are compared with',
    )
    parser.add_argument(
        '--out',
        metavar='FILE',
        help='page to write (.html); by default WORK_DIR/report.html, or report.html here for '
        'several runs',
    )
    parser.add_argument(
        '--no-predict',
        action='store_true',
        help='run neither a network nor a config, such as for the work dir of a stranger; '
        'predictions that are already in a work dir are used',
    )
    add_device(parser)
    add_trust(parser)
