"""Turn a public checkpoint into one of this library.

For the files of the distillation zoo, PuzzleMix's, and state dicts of torchvision and timm. Any
key that is left over or missing stops the conversion.
"""

from __future__ import annotations

import argparse

from mmtmix.conversion import ARCHS, convert_checkpoint


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """What to convert."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', help='checkpoint of another code base, a file or an address')
    parser.add_argument('target', help='checkpoint to write')
    parser.add_argument(
        '--arch', required=True, choices=ARCHS, metavar='NAME', help=', '.join(ARCHS)
    )
    parser.add_argument(
        '--trust-source',
        action='store_true',
        help='load also what holds more than tensors: this runs whatever code is in the file',
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Convert."""
    args = parse_args(argv)
    state = convert_checkpoint(args.source, args.target, args.arch, args.trust_source)
    classes = len(state['head.fc.weight'])
    config = f'configs/_base_/models/{ARCHS[args.arch].config}.py'
    print(f'wrote {args.target}: {args.arch} with {classes} classes, for {config}')


if __name__ == '__main__':
    main()
