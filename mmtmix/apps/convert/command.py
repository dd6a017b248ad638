"""Turn a public checkpoint into one of this library.

For the files of the distillation zoo, PuzzleMix's, and state dicts of torchvision and timm. Any
key that is left over or missing stops the conversion.
"""

from __future__ import annotations

import argparse

from mmtmix.apps.convert import ARCHS, convert_checkpoint, describe_use
from mmtmix.checks import check_integer
from mmtmix.utils import CommandParser, check_output_file


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What to convert."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('source', help='checkpoint of another code base, a file or an address')
    parser.add_argument('target', help='checkpoint to write')
    parser.add_argument(
        '--arch', required=True, choices=ARCHS, metavar='NAME', help=', '.join(ARCHS)
    )
    parser.add_argument(
        '--num-classes',
        type=int,
        metavar='N',
        help="how many classes the file is for, if not as many as the network's config",
    )
    parser.add_argument(
        '--trust-source',
        action='store_true',
        help='load also what holds more than tensors: this runs whatever code is in the file',
    )
    parser.add_argument('--force', action='store_true', help='replace a target that exists')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Convert.

    Args:
        argv: The arguments, ``sys.argv[1:]`` if None.

    Raises:
        OSError: If the source can't be read or the target not be written.
        ValueError: If the source is not what ``--arch`` says.
    """
    args = parse_args(argv)
    check_output_file('target', args.target)
    if args.num_classes is not None:
        check_integer('--num-classes', args.num_classes, 1)
    state = convert_checkpoint(
        args.source,
        args.target,
        args.arch,
        trust_source=args.trust_source,
        num_classes=args.num_classes,
        force=args.force,
    )
    arch = ARCHS[args.arch]
    classes = len(state[f'{arch.classifier}.weight'])
    config = f'configs/_base_/models/{arch.config}.py'
    print(f'wrote {args.target}: {args.arch} with {classes} classes, for {config}')
    print(describe_use(args.target, args.arch, classes))
