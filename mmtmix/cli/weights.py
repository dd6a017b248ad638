"""List the weights that come with mmtmix, or show the card of one.

`mmtmix://NAME` stands for them wherever a file of weights is given: as a mixing module, as the
checkpoint of a teacher, in `load_from`, and on the command line.
"""

from __future__ import annotations

import argparse

EXAMPLE = 'fashionmnist_k2'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the name of the weights."""
    parser.add_argument(
        'name',
        nargs='?',
        metavar='NAME',
        help='weights whose card is shown, with or without mmtmix://; without a name all are '
        'listed',
    )
