"""Draw batches as the network gets them in training: mixed, normalised, labelled.

Images come from the config's own training loader, pipeline, data preprocessor and batch augments.
Wrong labels, a wrong order of colours and a wrong normalisation show at a glance. Nothing is
trained. Files that the augments need, such as a teacher, must be there, unless --no-mix is given.
"""

from __future__ import annotations

import argparse
import os
import sys

from .arguments import add_config, add_device

EXAMPLE = 'mmtmix::cutmix/wrn16_fashionmnist_mini.py --out batches.png'
CHANNEL_ORDERS = ('rgb', 'bgr')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the pictures and of the batches."""
    add_config(parser, 'config that trains a classifier, a student or a mixing module')
    parser.add_argument(
        '--out',
        required=True,
        help='picture to write (.png, .pdf, .svg), or a folder, which gets batch_1.png, ...',
    )
    parser.add_argument(
        '--num',
        type=int,
        default=16,
        help='number of images per batch, at most the batch size of the config',
    )
    parser.add_argument(
        '--batches', type=int, help='number of batches: 1 for a picture, 4 for a folder by default'
    )
    parser.add_argument(
        '--epoch',
        type=int,
        default=1,
        help='epoch of the training, from 1, where a SwitchRecipeHook changes mixing or pipeline',
    )
    parser.add_argument('--seed', type=int, default=0, help='seed of everything random')
    parser.add_argument(
        '--no-mix', action='store_true', help='draw batches without their batch augments'
    )
    parser.add_argument(
        '--channel-order',
        choices=CHANNEL_ORDERS,
        default='rgb',
        help='order in which the three channels at the network are drawn; bgr for networks that '
        'are trained on BGR, whose pictures have red and blue exchanged otherwise',
    )
    parser.add_argument(
        '--checkpoint',
        help='weights of the network, for augments and searches that mix by them; without it they '
        'mix by an untrained network',
    )
    parser.add_argument(
        '--show', action='store_true', help="open the first picture in the system's viewer"
    )
    add_device(parser)


def check(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Refuse --show without a display."""
    has_display = sys.platform in ('darwin', 'win32') or any(
        os.environ.get(name) for name in ('DISPLAY', 'WAYLAND_DISPLAY')
    )
    if args.show and not has_display:
        parser.error(
            '--show needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set; leave it out '
            'and open the file of --out'
        )
