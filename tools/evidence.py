"""Fill the blocks of a hand-written page with tables and plots of recorded results.

Tables stand between the lines <!-- results: CELL ... --> and <!-- end -->, a picture between
<!-- plot: TABLE --> and <!-- end -->; cells are named as for tools/reproduce.py. The rest of
the page stays as it is. If a recorded run is in no table, it is named and the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mmtmix.apps.reproduce import (
    RunResult,
    fill,
    find_blocks,
    plot_tables,
    read_experiments,
    read_records,
    recorded_results,
    runs_of,
)
from mmtmix.cli.parser import CommandParser
from mmtmix.utils import (
    atomic_path,
    check_output_file,
    check_output_folder,
    resolve_config,
    run_command,
)

PICTURES = 'images'


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = CommandParser(description=__doc__)
    parser.add_argument(
        '--experiments', default='configs/experiments_fashionmnist.yaml', help='file of the cells'
    )
    parser.add_argument(
        '--results', default='results/fashionmnist/runs.jsonl', help='file of their recorded runs'
    )
    parser.add_argument('--page', type=Path, default=Path('docs/evidence.md'), help='page to fill')
    parser.add_argument(
        '--check', action='store_true', help='only compare; the exit status is 1 if a text differs'
    )
    return parser.parse_args(argv)


def update(args: argparse.Namespace) -> int:
    """Write the page and its pictures, or compare the page, and return the exit status.

    Args:
        args: Arguments of this tool.
    """
    text, prefix = args.page.read_text(encoding='utf-8'), f'{args.page.stem}_'
    cells = read_experiments(resolve_config(args.experiments))
    wanted = {block: block.cells(cells) for block in find_blocks(text)}
    records = read_records(args.results)
    unique = {cell.id: cell for chosen in wanted.values() for cell in chosen}
    results = {name: recorded_results(cell, records) for name, cell in unique.items()}
    contents = {
        block: block.write([results[cell.id] for cell in chosen], PICTURES, prefix)
        for block, chosen in wanted.items()
    }
    # the page must show every recorded run
    shown = {
        (runs_of(cell)[0].experiment, cell.checkpoint)
        for block, chosen in wanted.items()
        for cell in chosen
        if block.kind == 'results' and not cell.quoted
    }
    unseen = [record for record in records if (record.experiment, record.checkpoint) not in shown]
    for record in unseen:
        print(f'{args.page} has no table with {describe(record)}', file=sys.stderr)
    if args.check:
        old = [block for block in contents if block.text != contents[block]]
        for block in old:
            print(f'{args.page} does not match {args.results}: {block}', file=sys.stderr)
        return 1 if old or unseen else 0
    with atomic_path(args.page) as temporary:
        temporary.write_text(fill(text, contents), encoding='utf-8')
    for block, chosen in wanted.items():
        if block.kind == 'plot':
            of_table = [results[cell.id] for cell in chosen]
            plot_tables(of_table, args.page.parent / PICTURES, prefix)
    return 1 if unseen else 0


def describe(record: RunResult) -> str:
    """Return a recorded run in the words of a command.

    Args:
        record: Recorded run.
    """
    words = [record.config, *(f'{name}={value}' for name, value in record.variants)]
    words += record.options
    return f'{" ".join(words)}, seed {record.seed}'


def main(argv: list[str] | None = None) -> int:
    """Write or compare the page, and return the exit status."""
    args = parse_args(argv)
    if not args.check:
        check_output_file('--page', args.page)
        check_output_folder('--page', args.page.parent / PICTURES)
    return update(args)


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
