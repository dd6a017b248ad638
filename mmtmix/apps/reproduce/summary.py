"""One small table over rows of several tables, for readers in a hurry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .experiments import TOP1, Cell, choose_cells
from .results import CellResult, differences, group


@dataclass(frozen=True)
class Summary:
    """What a summary shows.

    Attributes:
        columns: Rows of results, such as ``final/main/1000``, by the title of a column. The first
            of them that has a method is shown.
        methods: Columns of these rows, such as ``simple``, by the title of a line. Differences are
            to the first.
    """

    columns: Mapping[str, Sequence[str]]
    methods: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Summary:
        """Return the summary that a mark of a page describes.

        Args:
            text: Text such as ``1,000 images = a/b/1000 | 5,000 = a/b/5000 ; Mixup = mixup``.

        Raises:
            ValueError: If it has another form.
        """
        parts = [
            [entry.split('=') for entry in part.split('|')] for part in text.strip().split(';')
        ]
        if len(parts) != 2 or any(len(entry) != 2 for part in parts for entry in part):
            raise ValueError(
                f'a summary must be "TITLE = ROWS | ... ; TITLE = METHOD | ...", got {text!r}'
            )
        columns, methods = ({k.strip(): v.strip() for k, v in part} for part in parts)
        return cls({title: rows.split() for title, rows in columns.items()}, methods)

    def cells(self, cells: Mapping[str, Cell]) -> list[Cell]:
        """Return the cells of all its rows.

        Args:
            cells: Cells of an experiments file, by id.

        Raises:
            ValueError: If there is no such row.
        """
        return choose_cells(cells, [row for rows in self.columns.values() for row in rows])

    def render(self, results: Sequence[CellResult]) -> str:
        """Return the table in Markdown.

        An entry is the mean accuracy and its difference to the first method, bold where the
        interval of the difference excludes zero; ``-`` where nothing was run.

        Args:
            results: Results of its cells.
        """
        rows = group(results, 'row')
        lines = [['', *self.columns], ['---'] * (1 + len(self.columns))]
        for title, method in self.methods.items():
            found = [
                self._entry(method, [rows[name] for name in names if name in rows])
                for names in self.columns.values()
            ]
            lines.append([title, *found])
        return '\n'.join(f'| {" | ".join(line)} |' for line in lines)

    def _entry(self, method: str, rows: Sequence[Sequence[CellResult]]) -> str:
        first = next(iter(self.methods.values()))
        for row in rows:
            for result in row:
                mean = result.mean(TOP1)
                if result.cell.column != method or mean is None:
                    continue
                difference = differences(result, row).get(first)
                if method == first or difference is None:
                    return f'{mean:.2f}'
                text = f'{round(difference.mean, 2) + 0.0:+.2f}'
                return f'{mean:.2f} ({f"**{text}**" if difference.excludes_zero else text})'
        return '-'
