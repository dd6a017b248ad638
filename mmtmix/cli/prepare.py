"""Check a data set's folder; unpack or download what is missing, or print what to put where.

Running it again is safe at any time. Complete parts stay as they are. An interrupted download goes
on where the server allows it. A half-unpacked archive never counts as complete.
"""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLE = 'tiny_imagenet --archive ~/Downloads/tiny-imagenet-200.zip'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the data set and of its files."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument('name', nargs='?', metavar='NAME', help='data set, such as cifar100')
    which.add_argument('--list', action='store_true', help='print the names of all data sets')
    parser.add_argument(
        '--out',
        '--root',
        dest='root',
        type=Path,
        help="its folder, configs' data_root (data/NAME)",
    )
    parser.add_argument(
        '--archive', type=Path, nargs='+', default=[], help='official archives that you have'
    )
    parser.add_argument('--offline', action='store_true', help='download nothing')
    parser.add_argument('--deep', action='store_true', help='also decode every image')
    parser.add_argument(
        '--any-checksum', action='store_true', help='accept archives that others packed again'
    )
