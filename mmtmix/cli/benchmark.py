"""Measure what mixing costs, as ratios of calls on the same batch, and compare it with goals.

The units are one plain blend of the batch out of place, and one forward pass of the teacher on it
without gradients. Calls take turns in one process. Times are CPU time of one thread, or the time
between CUDA events. A figure is the median, and the spread is the interquartile range.

Without --topics everything is measured that has a goal. With --config the teacher is a trained
classifier and the batch has real images. SuperMix needs that: its time depends on both.
"""

from __future__ import annotations

import argparse

from .arguments import add_config, add_device

EXAMPLE = '--config mmtmix::simple/wrn16_fashionmnist32.py --json costs.json'
TEACHERS = ('wrn16_1', 'wrn40_2', 'wrn28_10', 'resnet18_cifar', 'resnet18', 'resnet50')
TOPICS = (
    'faults',
    'blind',
    'blind224',
    'learned',
    'bfloat16',
    'resnet18',
    'imagenet',
    'supermix',
    'masks',
    'rivals',
    'puzzle',
    'search',
    'steps',
    'loader',
    'offline',
    'generation',
    'startup',
)
SWEEPS = ('batch_size', 'k', 'image_size', 'teacher')
PRESETS = ('table5',)
DTYPES = ('float32', 'bfloat16', 'float16')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of what is measured, how, and where the figures go."""
    add_config(parser, 'a trained classifier: the teacher, and real images', '--config')
    parser.add_argument(
        '--checkpoint', help="its weights (default: last.pth of the config's work dir)"
    )
    _add_topics(parser)
    _add_setting(parser)
    _add_measurement(parser)
    group = parser.add_argument_group('output')
    group.add_argument(
        '--json',
        '--out',
        metavar='FILE',
        help='file (.json) for the figures; other topics stay in it',
    )
    group.add_argument(
        '--page',
        metavar='FILE',
        help='page whose blocks are then filled from the files that they name, such as '
        'docs/costs.md',
    )
    group.add_argument('--no-measure', action='store_true', help='only fill --page')


def _add_topics(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('what is measured')
    group.add_argument(
        '--topics',
        '--only',
        nargs='+',
        choices=(*TOPICS, 'default', 'all'),
        metavar='TOPIC',
        help=f'tables to measure, of {", ".join(TOPICS)}; by default all but rivals (default)',
    )
    group.add_argument(
        '--short',
        action='store_true',
        help='measure a few ratios in less than a minute; the exit status is 1 if one is beyond '
        'its goal by a wide margin',
    )
    group.add_argument(
        '--preset', choices=PRESETS, help='setting of a published table, such as table5'
    )
    group.add_argument(
        '--sweep',
        nargs='*',
        choices=SWEEPS,
        help='measure the cost against these fields; all of them if none is named',
    )
    group.add_argument(
        '--profile', action='store_true', help='list the operators that the time is spent in'
    )


def _add_setting(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('setting; by default that of the goals')
    group.add_argument('--teacher', choices=TEACHERS, help='network of random weights')
    group.add_argument('--image-size', type=int, help='side in pixels, of random images')
    group.add_argument('--num-classes', type=int, help='number of classes of random images')
    group.add_argument('--batch-size', type=int, help='number of images')


def _add_measurement(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('measurement')
    group.add_argument('--repeats', type=int, help='number of timed rows of calls')
    group.add_argument('--threads', type=int, default=1, help='number of threads of a CPU')
    group.add_argument(
        '--rival-iters', type=int, default=200, help="largest number of steps of SuperMix's rivals"
    )
    group.add_argument(
        '--dtype',
        choices=DTYPES,
        default='float32',
        help='dtype of the forward passes; float32 runs without autocast',
    )
    group.add_argument(
        '--bfloat16', action='store_const', const='bfloat16', dest='dtype', help='as --dtype'
    )
    group.add_argument('--tf32', action='store_true', help='let CUDA round float32 products')
    group.add_argument('--compile', action='store_true', help='compile the teacher')
    group.add_argument('--seed', type=int, default=0, help='seed of images, weights and pairs')
    add_device(parser)


def check(args: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Take all sweeps where ``--sweep`` names none.

    Args:
        args: Parsed arguments, which are changed.
        parser: Parser of the command.
    """
    if args.sweep == []:
        args.sweep = list(SWEEPS)
