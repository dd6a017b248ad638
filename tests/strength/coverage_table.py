"""Print the branch coverage of ``coverage.json`` by folder of the package, as Markdown."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

COUNTS = ('num_statements', 'covered_lines', 'num_branches', 'covered_branches')


def main() -> None:
    """Print a row per folder and one for all."""
    files = json.loads(Path('coverage.json').read_text())['files']
    folders: defaultdict[str, Counter] = defaultdict(Counter)
    for name, file in files.items():
        counts = {key: file['summary'][key] for key in COUNTS}
        parents = Path(name).parts[1:-1]
        for folder in ('/'.join(parents[:2]) or '(top)', 'all'):
            folders[folder].update(counts)
    print('\n| folder | statements | branches | covered |')
    print('|---|---|---|---|')
    for folder in sorted(folders, key=lambda name: (name == 'all', name)):
        statements, lines, branches, taken = (folders[folder][key] for key in COUNTS)
        share = (lines + taken) / max(statements + branches, 1)
        print(f'| {folder} | {lines}/{statements} | {taken}/{branches} | {share:.1%} |')


if __name__ == '__main__':
    main()
