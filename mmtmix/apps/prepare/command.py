"""Check a data set's folder; unpack or download what is missing, or say what to put where.

Running it again is safe at any time: what is complete is left alone, an interrupted download goes
on where the server allows it, and nothing half-unpacked is ever taken for complete.

Examples:
    python tools/prepare_data.py cifar100
    python tools/prepare_data.py tiny_imagenet --archive ~/Downloads/tiny-imagenet-200.zip
    python tools/prepare_data.py imagenet --root /data/imagenet --deep
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmtmix.apps.prepare import DATA_SETS, prepare
from mmtmix.utils import CommandParser


def main(argv: Sequence[str] | None = None) -> None:
    """Prepare a data set.

    Args:
        argv: The arguments, ``sys.argv[1:]`` if None.

    Raises:
        FileNotFoundError: If something is missing.
        ValueError: If a file is damaged or not what it should be.
    """
    parser = CommandParser(description=__doc__.splitlines()[0])
    parser.add_argument('name', choices=DATA_SETS, metavar='NAME', help=', '.join(DATA_SETS))
    parser.add_argument('--root', type=Path, help="its folder, configs' data_root (data/NAME)")
    parser.add_argument(
        '--archive', type=Path, nargs='+', default=[], help='official archives that you have'
    )
    parser.add_argument('--offline', action='store_true', help='download nothing')
    parser.add_argument('--deep', action='store_true', help='also decode every image')
    parser.add_argument(
        '--any-checksum', action='store_true', help='take archives that others packed again'
    )
    args = parser.parse_args(argv)
    root = args.root or Path('data', args.name)
    prepare(
        DATA_SETS[args.name],
        root,
        args.archive,
        offline=args.offline,
        deep=args.deep,
        any_checksum=args.any_checksum,
    )
