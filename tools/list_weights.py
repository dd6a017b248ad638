"""Fill docs/weights.md with the tables of the weights that come with the package.

The tables come from the cards in mmtmix/weights. With --check the tool only compares, as the tests
do.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from mmtmix.apps.weights.cards import quality_text, read_cards, weights_table
from mmtmix.cli.parser import CommandParser
from mmtmix.utils import atomic_path, check_output_file, run_command

ROOT = Path(__file__).resolve().parents[1]


def fill(text: str) -> str:
    """Return the page with present tables.

    Args:
        text: Text of the page.

    Raises:
        ValueError: If it lacks one of the two places.
    """
    cards = read_cards()
    blocks = dict(
        weights=weights_table(cards, in_markdown=True),
        quality='\n\n'.join(quality_text(card) for card in cards if 'quality' in card),
    )
    for name, content in blocks.items():
        pattern = re.compile(rf'(<!-- {name}: [^\n]*-->\n).*?(<!-- end -->)', re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f'the page has no place <!-- {name}: ... --> ... <!-- end -->')
        text = pattern.sub(lambda found, new=content: f'{found[1]}\n{new}\n\n{found[2]}', text)
    return text


def main(argv: list[str] | None = None) -> int:
    """Write the page, or compare it, and return the exit status."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('--page', type=Path, default=ROOT / 'docs' / 'weights.md')
    parser.add_argument('--check', action='store_true', help='only compare; 1 if it differs')
    args = parser.parse_args(argv)
    old = args.page.read_text(encoding='utf-8')
    new = fill(old)
    if args.check:
        if new != old:
            print(f'{args.page} is out of date; run python tools/list_weights.py', file=sys.stderr)
        return int(new != old)
    check_output_file('--page', args.page, ('.md',))
    with atomic_path(args.page) as temporary:
        temporary.write_text(new, encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
