"""Measure what mixing a batch costs: every augment on the same batch in one run, as ratios.

The units are one plain blend of the batch out of place, and one forward pass of the teacher on it
without gradients. Each time is the median of interleaved repeats, so that a busy machine slows all
of them alike. With --config the teacher is a trained classifier and the batch holds real images.
SuperMix is then timed as well: its time depends on both. Its two rivals try to finish as many
samples as SuperMix did, in up to --rival-iters steps. Then each rival and SuperMix are timed until
they have finished the share that the rival reached, without stopping early. Each of these runs is
made once.
"""

from __future__ import annotations

import argparse

from .arguments import add_config, add_device

EXAMPLE = '--teacher wrn40_2 --batch-size 128 --out costs.json'
TEACHERS = ('wrn16_1', 'wrn40_2', 'wrn28_10')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the batch, the teacher and the measurement."""
    add_config(parser, 'a trained classifier: the teacher, and real images', '--config')
    parser.add_argument(
        '--checkpoint', help="its weights (default: last.pth of the config's work dir)"
    )
    parser.add_argument(
        '--teacher',
        choices=TEACHERS,
        default='wrn40_2',
        help='without --config: network of random weights',
    )
    parser.add_argument(
        '--image-size', type=int, default=32, help='edge in pixels, without --config'
    )
    parser.add_argument(
        '--num-classes', type=int, default=100, help='number of classes, without --config'
    )
    parser.add_argument('--batch-size', type=int, default=128)
    parser.add_argument('--repeats', type=int, default=20)
    parser.add_argument('--rival-iters', type=int, default=200, help='0 leaves the rivals out')
    parser.add_argument(
        '--bfloat16',
        action='store_true',
        help='run under bfloat16 autocast; a line is printed where this CPU only emulates it',
    )
    parser.add_argument('--compile', action='store_true', help='compile the teacher')
    parser.add_argument('--seed', type=int, default=0, help='seed of images, weights and pairs')
    parser.add_argument('--out', '--json', help='file (.json) for the figures')
    add_device(parser)
