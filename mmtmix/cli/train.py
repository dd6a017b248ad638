"""Train a config, and first whatever it requires, in order.

Required are classifiers, searches and sets of mixed images. For a config with ``generation``, the
set that it describes is made.
"""

from __future__ import annotations

import argparse

from .arguments import add_config, add_launcher

EXAMPLE = 'mmtmix::transformmix/wrn28_cifar100.py --work-dir work_dirs/first'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add MMPretrain's arguments, and ``--no-stages`` and ``--divide-batch``."""
    add_config(parser, 'config to train')
    parser.add_argument('--work-dir', '--out', help='folder of logs and checkpoints')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='resume from the given checkpoint, or without one from the latest in the work dir; '
        'missing stages always resume from their own work dirs',
    )
    parser.add_argument(
        '--amp', action='store_true', help='train in mixed precision, if that is faster here'
    )
    parser.add_argument('--no-validate', action='store_true', help="don't evaluate in training")
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help='scale the lr by the actual batch size'
    )
    parser.add_argument(
        '--divide-batch',
        action='store_true',
        help='divide the batch sizes of configs, also of required stages, among the processes',
    )
    parser.add_argument(
        '--no-pin-memory', action='store_true', help="don't load batches into pinned memory"
    )
    parser.add_argument(
        '--no-persistent-workers', action='store_true', help='start new workers in each epoch'
    )
    parser.add_argument(
        '--no-stages',
        action='store_true',
        help='refuse to start if a file that the config requires is missing',
    )
    add_launcher(parser)
