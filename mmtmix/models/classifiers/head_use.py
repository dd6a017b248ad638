"""What a classifier does with its head while it computes its loss."""

from __future__ import annotations

from dataclasses import dataclass

from mmtmix.checks import check_choice

ROWS = ('samples', 'views', 'mixes')


@dataclass(frozen=True)
class HeadUse:
    """What those need to know who overhear a head in training, as ``DistillHook`` does.

    A classifier says it by a class attribute ``head_use``. One that says nothing does what
    MMPretrain's ``ImageClassifier`` does.

    Attributes:
        rows: What the rows of the head's last output belong to: one of the ``'samples'`` and its
            image each; one of several ``'views'`` of a sample each, which are images in the same
            order; or ``'mixes'`` made inside the network, which no image shows.
        other_losses: Ends of the names of those losses that aren't the head's.

    Raises:
        ValueError: If ``rows`` is unknown.
    """

    rows: str = 'samples'
    other_losses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_choice('rows', self.rows, ROWS)

    def is_heads(self, name: str) -> bool:
        """Whether a term of the classifier's loss, told by its name, is a loss of the head."""
        return 'loss' in name and not name.endswith(self.other_losses)
