"""Labels of mixes in figures."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from mmtmix.checks import check_numbers
from mmtmix.models.draw import Details

_MOST_CHARACTERS = 18
_SUBSCRIPTS = str.maketrans('0123456789', '₀₁₂₃₄₅₆₇₈₉')


def share_symbol(position: int) -> str:
    """Return the symbol of the share of an image of a mix: λ₁ for position 0."""
    return f'λ{str(position + 1).translate(_SUBSCRIPTS)}'


def image_numbers(num_mix: int) -> list[str]:
    """Return the labels above the images of a mix: their numbers, or nothing for a single one."""
    return [str(j + 1) for j in range(num_mix)] if num_mix > 1 else ['']


def class_label(name: str) -> str:
    """Return the name of a class, cut to 18 characters, so that labels stay narrow."""
    name = ' '.join(str(name).split())
    return name if len(name) <= _MOST_CHARACTERS else name[: _MOST_CHARACTERS - 1].rstrip() + '…'


def mix_label(
    index: Tensor,
    names: Sequence[str] | None = None,
    weights: Tensor | None = None,
    separator: str = ' ',
) -> str:
    """Return the share and the class of each image of a mix, one line per image.

    Args:
        index: Images of the mix, (k,).
        names: Name of the class of each image in the batch; None leaves names out.
        weights: Shares of the images, (k,). None shows the numbers of the images instead, where
            the shares are shown elsewhere.
        separator: Text between share and class.
    """
    lines = []
    for j, image in enumerate(index.tolist()):
        share = str(j + 1) if weights is None else f'{share_symbol(j)} = {float(weights[j]):.2f}'
        lines.append(share if names is None else share + separator + class_label(names[image]))
    return '\n'.join(lines)


def mix_labels(
    details: Details, names: Sequence[str] | None = None, separator: str = ' '
) -> list[str]:
    """Return the label of each mix: its shares, its classes and the steps of its solver.

    Args:
        details: Details of an augment, with ``weights`` and ``index``. With ``iterations`` and
            ``finished`` the label has the number of steps.
        names: Name of the class of each image in the batch; None leaves names out.
        separator: Text between share and class, and at the other breaks of a narrow label.
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
    """Return the samples to draw, all by default.

    Args:
        rows: Samples, 0 to ``count`` - 1; None for all.
        names: Name of the class of each image; None for no names.
        count: Number of images in the batch.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If a sample is not in the batch, or there is not exactly one name per image.
    """
    if names is not None and len(names) != count:
        raise ValueError(
            f'names has {len(names)} entries for a batch of {count} images; give one per image'
        )
    if rows is None:
        return list(range(count))
    cure = f'they are indices of a batch of {count} images'
    check_numbers('rows', rows, least=0, most=count - 1, cure=cure, whole=True)
    return list(rows)
