"""Lines of text beside the mixes of a picture: shares, classes and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from mmtmix.models.draw import Details
from mmtmix.models.mix_watch import MadeMix

_SHOWN_LABELS = 3  # classes of a mixed label
_LEAST_SHARE = 0.05  # of a class that is named in it


@dataclass(frozen=True)
class ClassNames:
    """Names of the classes of a data set.

    Attributes:
        names: Names by label; empty where they are unknown.
    """

    names: Sequence[str] = ()

    def __getitem__(self, label: int) -> str:
        known = label < len(self.names)
        return ' '.join(str(self.names[label]).split()) if known else f'class {label}'


def target_lines(mix: MadeMix, rows: Sequence[int], classes: ClassNames) -> list[list[str]]:
    """Return lines about the labels of some mixes, one for each class of a mix.

    Args:
        mix: Mixes with ``targets``.
        rows: Numbers of the mixes.
        classes: Names of the classes.
    """
    if mix.targets is None:
        return [[] for _ in rows]
    kind = f'label {mix.note}'.strip() if mix.note.startswith('by ') else 'label'
    shares, labels = _top(mix.targets[list(rows)])
    return [
        [
            f'{kind} {share:.2f}  {classes[label]}'
            for share, label in zip(own, named, strict=True)
            if share >= _LEAST_SHARE
        ]
        for own, named in zip(shares.tolist(), labels.tolist(), strict=True)
    ]


def mix_lines(
    mix: MadeMix, rows: Sequence[int], details: Details, classes: ClassNames
) -> list[list[str]]:
    """Return the lines beside each mix: shares and classes, and its label where it differs.

    Args:
        mix: Mixes of a step.
        rows: Numbers of the mixes in the batch.
        details: Details of these mixes.
        classes: Names of the classes.
    """
    weights, scores = details['weights'], mix.scores
    is_used = used_places(details).tolist()
    lines: list[list[str]] = [[] for _ in rows]
    expected = None
    names: list[list[str]] = [[''] * weights.size(1) for _ in rows]
    if scores is not None:
        own = scores[details['index']]
        names = [[classes[label] for label in line] for line in own.argmax(dim=-1).tolist()]
        expected = (weights[..., None].to(own.dtype) * own).sum(dim=1)
    for row, shares in enumerate(weights.tolist()):
        lines[row] = [
            f'{_symbol(j)} = {shares[j]:.2f}  {names[row][j]}'.rstrip()
            for j in range(len(shares))
            if is_used[row][j]
        ]
    if mix.targets is not None:
        given = mix.targets[list(rows)]
        differs = expected is None or (given - expected).abs().amax(dim=1) > 0.01
        flags = differs.tolist() if isinstance(differs, Tensor) else [differs] * len(rows)
        for row, line in enumerate(target_lines(mix, rows, classes)):
            lines[row] += line if flags[row] else []
    if 'choice' in details and len(mix.makers) > 1:
        for row, number in enumerate(details['choice'].tolist()):
            lines[row].append('not mixed' if number < 0 else f'by {mix.makers[number]}')
    if 'iterations' in details:
        steps, done = details['iterations'].tolist(), details['finished'].tolist()
        for row, (count, finished) in enumerate(zip(steps, done, strict=True)):
            lines[row].append(f'{count} steps' if finished else f'not finished after {count}')
    if mix.note and not mix.note.startswith('by '):
        lines = [[*line, mix.note] for line in lines]
    return lines


def used_places(details: Details) -> Tensor:
    """Return which places of mixes show an image, (R, k).

    A place that is only filled has the own image once more, and no share.

    Args:
        details: Details of R mixes.
    """
    weights, index = details['weights'], details['index']
    used = (weights > 0) | (index != index[:, :1])
    used[:, 0] = True
    return used


def _top(targets: Tensor) -> tuple[Tensor, Tensor]:
    return targets.float().topk(min(_SHOWN_LABELS, targets.size(1)), dim=1)


def _symbol(place: int) -> str:
    return f'λ{"₀₁₂₃₄₅₆₇₈₉"[place + 1]}' if place < 9 else f'λ{place + 1}'
