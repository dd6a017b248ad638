"""Draw how a config's augment mixes real images of its data set.

The augment is the first one of mmtmix among the config's batch augments, or else the first one of
MMPretrain (Mixup, CutMix, ResizeMix), which draws its shares and partners itself. The picture
shows the steps of that augment. By default the images are
those of the training set. They go through the pipeline of the validation set, which has no random
crops and flips.
"""

from __future__ import annotations

import argparse

from .arguments import add_config, add_device

EXAMPLE = 'mmtmix::transformmix/wrn28_cifar100.py --out mix.png'
LAYOUTS = ('rows', 'columns')
CHANNEL_ORDERS = ('rgb', 'bgr')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the picture and of its images."""
    add_config(parser, 'config of a classifier that trains with an augment of mmtmix')
    parser.add_argument('--out', required=True, help='picture to write (.png, .pdf, .svg)')
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        '--lam-sweep',
        action='store_true',
        help='draw the same images at shares of the first from 0.1 to 0.9',
    )
    kind.add_argument(
        '--temperature-sweep',
        action='store_true',
        help='draw the same images, in equal shares, at several softmax temperatures '
        '(TransformMix alone)',
    )
    kind.add_argument(
        '--num-mix',
        type=int,
        nargs='+',
        metavar='K',
        help='draw mixes of K images for each K, such as 2 3 4 (not TransformMix)',
    )
    parser.add_argument('--num', type=int, default=4, help='number of mixes, for each K')
    parser.add_argument('--seed', type=int, default=0, help='seed of images, weights and noise')
    parser.add_argument(
        '--indices',
        type=int,
        nargs='+',
        help='images in the data set, k for each mix, in place of --num mixes of images of '
        'different classes; with --num-mix as many as the largest K, smaller ones take the first',
    )
    parser.add_argument('--split', choices=['train', 'val'], default='train')
    parser.add_argument(
        '--layout',
        choices=LAYOUTS,
        default='rows',
        help='one mix per row, or one per column; sweeps and --num-mix have rows',
    )
    parser.add_argument(
        '--channel-order',
        choices=CHANNEL_ORDERS,
        help='order of the colour channels as the network gets them; by default it follows from '
        "the config's data set, pipeline and data_preprocessor",
    )
    parser.add_argument(
        '--checkpoint',
        help='weights of the classifier. It then takes the place of the network in training, '
        'which augments such as PuzzleMix need',
    )
    add_device(parser)
