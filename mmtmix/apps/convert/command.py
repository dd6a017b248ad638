"""Convert a public checkpoint into one of this library."""

from __future__ import annotations

import argparse

from mmtmix.checks import check_choice, check_integer
from mmtmix.utils import check_output_file

from .convert import convert_checkpoint
from .layouts import ARCHS
from .usage import describe_use


def run(args: argparse.Namespace) -> None:
    """Convert a checkpoint, or print the names of all networks.

    Args:
        args: Arguments of :mod:`mmtmix.cli.convert`.

    Raises:
        OSError: If the source cannot be read, or the file cannot be written.
        ValueError: If the network is unknown, or the source is not of that network.
    """
    if args.list:
        print('\n'.join(ARCHS))
        return
    check_choice('--arch', args.arch, ARCHS)
    check_output_file('--out', args.out)
    if args.num_classes is not None:
        check_integer('--num-classes', args.num_classes, 1)
    state = convert_checkpoint(
        args.source,
        args.out,
        args.arch,
        trust_source=args.trust_source,
        num_classes=args.num_classes,
        force=args.force,
    )
    arch = ARCHS[args.arch]
    classes = len(state[f'{arch.classifier}.weight'])
    config = f'configs/_base_/models/{arch.config}.py'
    print(f'wrote {args.out}: {args.arch} with {classes} classes, for {config}')
    print(describe_use(args.out, args.arch, classes))
