"""Fill the blocks of a hand-written page with tables and plots of recorded results.

Tables stand between the lines <!-- results: CELL ... --> and <!-- end -->, a picture between
<!-- plot: TABLE --> or <!-- forest: TABLE --> and <!-- end -->; cells are named as for
tools/reproduce.py. The rest of the page stays as it is. With several files of results,
<!-- results of NAME: CELL ... --> shows those of the file in the folder NAME. If a recorded run
is in no table, it is named and the exit status is 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mmtmix.apps.reproduce import (
    Block,
    Cell,
    CellResult,
    RunResult,
    fill,
    find_blocks,
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
NAMES = ('fashionmnist', 'glyphs')
"""Folders below results/ that the page shows by default, those that have runs."""


class Source(NamedTuple):
    """The results of one experiments file.

    Attributes:
        name: Name of the folder of the records.
        path: Path of the records.
        cells: Cells of the experiments file, by id.
        records: Recorded runs.
    """

    name: str
    path: str
    cells: dict[str, Cell]
    records: list[RunResult]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = CommandParser(description=__doc__)
    parser.add_argument(
        '--experiments',
        nargs='+',
        help=f'files of the cells; by default configs/experiments_NAME.yaml, NAME of {NAMES}',
    )
    parser.add_argument(
        '--results',
        nargs='+',
        help='files of their recorded runs, in the same order; by default those of '
        'results/NAME/runs.jsonl that exist',
    )
    parser.add_argument('--page', type=Path, default=Path('docs/evidence.md'), help='page to fill')
    parser.add_argument(
        '--check', action='store_true', help='only compare; the exit status is 1 if a text differs'
    )
    return parser.parse_args(argv)


def read_sources(args: argparse.Namespace) -> list[Source]:
    """Return the results of each experiments file.

    Args:
        args: Arguments of this tool.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file is malformed, the numbers of both kinds of files differ, or two files
            of records are in folders of one name.
    """
    if args.experiments is None and args.results is None:
        found = [name for name in NAMES if Path('results', name, 'runs.jsonl').is_file()]
        args.experiments = [f'configs/experiments_{name}.yaml' for name in found]
        args.results = [f'results/{name}/runs.jsonl' for name in found]
    experiments, results = args.experiments or [], args.results or []
    names = [Path(path).resolve().parent.name for path in results]
    if len(experiments) != len(results) or not results or len(set(names)) < len(names):
        raise ValueError(
            '--experiments and --results must name as many files, at least one of each, and the '
            f'latter in folders of different names; got {experiments} and {results}'
        )
    return [
        Source(name, path, read_experiments(resolve_config(cells)), read_records(path))
        for name, cells, path in zip(names, experiments, results, strict=True)
    ]


def update(args: argparse.Namespace) -> int:
    """Write the page and its pictures, or compare the page, and return the exit status.

    Args:
        args: Arguments of this tool.

    Raises:
        ValueError: If a block is malformed or names no results.
    """
    text = args.page.read_text(encoding='utf-8')
    sources = read_sources(args)
    blocks = {source.name: [] for source in sources}
    for block in find_blocks(text):
        name = block.source or sources[0].name
        if name not in blocks:
            raise ValueError(f'{block}: there are results of {", ".join(blocks)}, got {name!r}')
        blocks[name].append(block)
    wanted = {
        source.name: {block: block.cells(source.cells) for block in blocks[source.name]}
        for source in sources
    }
    contents: dict[Block, str] = {}
    plots: list[tuple[Block, list[CellResult], str]] = []
    is_whole = True
    for source in sources:
        of_source = wanted[source.name]
        results = {
            cell.id: recorded_results(cell, source.records)
            for cell in {
                cell.id: cell for chosen in of_source.values() for cell in chosen
            }.values()
        }
        for block, chosen in of_source.items():
            found = [results[cell.id] for cell in chosen]
            prefix = '_'.join([args.page.stem, *([block.source] if block.source else []), ''])
            contents[block] = block.write(found, PICTURES, prefix)
            plots.append((block, found, prefix))
        for record in unseen(source, of_source):
            is_whole = False
            print(f'{args.page} has no table with {describe(record)}', file=sys.stderr)
        for block in of_source if args.check else ():
            if block.text != contents[block]:
                is_whole = False
                print(f'{args.page} does not match {source.path}: {block}', file=sys.stderr)
    if not args.check:
        with atomic_path(args.page) as temporary:
            temporary.write_text(fill(text, contents), encoding='utf-8')
        for block, found, prefix in plots:
            block.draw(found, args.page.parent / PICTURES, prefix)
    return 0 if is_whole else 1


def unseen(source: Source, wanted: Mapping[Block, Sequence[Cell]]) -> list[RunResult]:
    """Return the recorded runs that no table of the page has.

    Args:
        source: Results of one experiments file.
        wanted: Cells of its blocks on the page.
    """
    shown = {
        (runs_of(cell)[0].experiment, cell.checkpoint)
        for block, chosen in wanted.items()
        for cell in chosen
        if block.kind == 'results' and not cell.quoted
    }
    return [each for each in source.records if (each.experiment, each.checkpoint) not in shown]


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
