"""How a classifier uses its head while it computes its loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from mmtmix.checks import check_choice

ROWS = ('samples', 'views', 'mixes')


@dataclass(frozen=True)
class HeadUse:
    """Use of a head in training, for code that captures its outputs, such as ``DistillHook``.

    A classifier declares it by a class attribute ``head_use``. Without one it counts as
    MMPretrain's ``ImageClassifier``.

    Attributes:
        rows: Meaning of the rows of the head's last output. ``'samples'``: one image each.
            ``'views'``: one of several views of a sample each, images in the same order.
            ``'mixes'``: mixes made inside the network, which no image shows.
        other_losses: Ends of the names of losses that aren't the head's.

    Raises:
        ValueError: If ``rows`` is unknown.
    """

    rows: str = 'samples'
    other_losses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_choice('rows', self.rows, ROWS)

    def is_heads(self, name: str) -> bool:
        """Return whether a term of the classifier's losses is a loss of the head.

        Args:
            name: Name of the term.
        """
        return 'loss' in name and not name.endswith(self.other_losses)


@runtime_checkable
class DeclaresHeadUse(Protocol):
    """A classifier that declares the use of its head.

    Attributes:
        head_use: The use.
    """

    head_use: HeadUse


def head_use_of(model: object) -> HeadUse:
    """Return how a classifier uses its head.

    Args:
        model: A classifier of MMPretrain, out of its wrapper.
    """
    return model.head_use if isinstance(model, DeclaresHeadUse) else HeadUse()
