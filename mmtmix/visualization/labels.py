"""What stands beside a mix."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from mmtmix.checks import check_numbers
from mmtmix.models.draw import Details

_MOST_CHARACTERS = 18
_SUBSCRIPTS = str.maketrans('0123456789', '₀₁₂₃₄₅₆₇₈₉')


def share_symbol(position: int) -> str:
    """The symbol of the share of a mix's image: λ₁ for position 0."""
    return f'λ{str(position + 1).translate(_SUBSCRIPTS)}'


def image_numbers(num_mix: int) -> list[str]:
    """What stands above the images of a mix; a single one needs nothing."""
    return [str(j + 1) for j in range(num_mix)] if num_mix > 1 else ['']


def class_label(name: str) -> str:
    """A class's name, cut where it would push the pictures aside."""
    name = ' '.join(str(name).split())
    return name if len(name) <= _MOST_CHARACTERS else name[: _MOST_CHARACTERS - 1].rstrip() + '…'


def mix_label(
    index: Tensor,
    names: Sequence[str] | None = None,
    weights: Tensor | None = None,
    separator: str = ' ',
) -> str:
    """The share and the class of each image of a mix.

    Args:
        index: The images of the mix, (k,).
        names: Name of each image's class in the batch; None leaves them out.
        weights: Their shares, (k,); None gives their numbers instead, where the shares are said
            elsewhere.
        separator: Between share and class.
    """
    lines = []
    for j, image in enumerate(index.tolist()):
        share = str(j + 1) if weights is None else f'{share_symbol(j)} = {float(weights[j]):.2f}'
        lines.append(share if names is None else share + separator + class_label(names[image]))
    return '\n'.join(lines)


def mix_labels(
    details: Details, names: Sequence[str] | None = None, separator: str = ' '
) -> list[str]:
    """What stands beside each mix: its shares and classes and, if it was solved for, how.

    Args:
        details: As a mixer returns them, with ``weights`` and ``index``.
        names: Name of each image's class in the batch.
        separator: Between share and class, and wherever else a narrow label breaks.
    """
    labels = [
        mix_label(images, names, shares, separator)
        for images, shares in zip(details['index'], details['weights'], strict=True)
    ]
    if 'iterations' not in details:
        return labels
    steps, finished = details['iterations'].tolist(), details['finished'].tolist()
    return [
        f'{label}\n{_ending(count, done, separator)}'
        for label, count, done in zip(labels, steps, finished, strict=True)
    ]


def _ending(steps: int, finished: bool, separator: str) -> str:
    if not finished:
        return f'not finished{separator}after {steps}'
    return f'{steps} step' if steps == 1 else f'{steps} steps'


def check_rows(rows: Sequence[int] | None, names: Sequence[str] | None, count: int) -> list[int]:
    """The samples to draw, all by default.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If one is not in the batch, or the names are not one an image.
    """
    if names is not None and len(names) != count:
        raise ValueError(
            f'names has {len(names)} entries for a batch of {count} images; give one an image'
        )
    if rows is None:
        return list(range(count))
    cure = f'they are indices of a batch of {count} images'
    check_numbers('rows', rows, least=0, most=count - 1, cure=cure, whole=True)
    return list(rows)
