"""List the weights that come with the package, or show the card of one."""

from __future__ import annotations

import argparse

from mmtmix.utils.shipped import SCHEME, shipped_file

from .cards import card_text, read_card, read_cards, weights_table


def run(args: argparse.Namespace) -> str:
    """Print the list or the card, and return it.

    Args:
        args: Arguments of :mod:`mmtmix.cli.weights`.

    Raises:
        ValueError: If the package has no weights of that name.
    """
    if args.name is None:
        text = weights_table(read_cards())
    else:
        name = args.name.removeprefix(SCHEME)
        shipped_file(SCHEME + name)
        text = card_text(read_card(name))
    print(text)
    return text
