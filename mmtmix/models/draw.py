"""What is drawn for the mixes of a batch, before anything is mixed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mmtmix.datasets.seeding import rank_generator
from mmtmix.functional import draw_index, draw_weights

__all__ = ['REPLAY', 'Details', 'Draw', 'draw_mixes', 'rank_generator']

Details = dict[str, Tensor]

REPLAY = ('drawn_weights', 'drawn_index', 'generator_state')
"""Names of the details that :meth:`Draw.from_details` reads."""


@dataclass(frozen=True)
class Draw:
    """Shares and images of M mixes, and the source of what is drawn while mixing.

    Args:
        weights: Shares of the images, (M, k), rows on the simplex.
        index: Positions in the batch of the images of each mix, own image first, int64 (M, k).
        generator: Source of places, noise and the like, on the CPU. Mixing advances it.
        choice: Position of the augment that makes each mix, int64 (M,) on the CPU, -1 for an
            image that stays unmixed; None but for a
            :class:`~mmtmix.models.augments.ChooseAugment`.
        in_order: Whether the own image of mix i is image i of the batch, and there are as many
            mixes as images. Mixing is then faster, since no own image is copied first. On the CPU
            it is checked.
        full_details: Whether mixing returns masks among its details, which a training step does
            not use.

    Raises:
        ValueError: If ``in_order`` is True and ``index``, on the CPU, has other own images.
    """

    weights: Tensor
    index: Tensor
    generator: torch.Generator
    choice: Tensor | None = None
    in_order: bool = False
    full_details: bool = False

    def __post_init__(self) -> None:
        # on a GPU the host would have to wait for the answer
        if self.in_order and self.index.is_cpu:
            own = self.index[:, 0]
            if not torch.equal(own, torch.arange(len(own))):
                raise ValueError(
                    'in_order must be False for an index whose column 0 is not 0, 1, 2, ..., got '
                    f'{own.tolist()[:8]}'
                )

    @classmethod
    def from_details(cls, details: Mapping[str, Tensor]) -> Draw:
        """Return the draw that led to a mix, to make the same mix once more.

        Args:
            details: Details of the mix, as a call with ``return_details=True`` returns them.

        Raises:
            ValueError: If they are those of a batch that was too small to mix.
        """
        missing = [name for name in REPLAY if name not in details]
        if missing:
            raise ValueError(
                f'details lack {", ".join(missing)}, got {", ".join(details)}; only details of a '
                'mixed batch hold a draw, and a batch smaller than num_mix is not mixed'
            )
        generator = torch.Generator()
        generator.set_state(details['generator_state'].cpu())
        choice = details['choice'].cpu() if 'choice' in details else None
        return cls(details['drawn_weights'], details['drawn_index'], generator, choice)

    def to_details(self) -> Details:
        """Return what :meth:`from_details` reads; call it before mixing advances the generator."""
        values = (self.weights, self.index, self.generator.get_state())
        return dict(zip(REPLAY, values, strict=True))

    def to(self, device: torch.device) -> Draw:
        """Return the draw with shares and images on a device."""
        weights, index = (
            part.to(device, non_blocking=True) for part in (self.weights, self.index)
        )
        return replace(self, weights=weights, index=index)

    def take(self, rows: Tensor) -> Draw:
        """Return the draw of some of the mixes.

        Args:
            rows: Positions of the mixes, int64 (m,), on the device of the shares.
        """
        return Draw(self.weights[rows], self.index[rows], self.generator)


def draw_mixes(
    num_samples: int,
    num_mix: int,
    alpha: float,
    generator: torch.Generator,
    device: torch.device,
    per_sample: bool = True,
) -> Draw:
    """Draw one mix for each sample of a batch.

    Args:
        num_samples: Number of samples, N >= k.
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the shares, > 0.
        generator: Source of randomness, on the CPU.
        device: Device of the shares and images.
        per_sample: Whether each mix has shares of its own; False draws one row for all.

    Returns:
        The draw, with N mixes.
    """
    weights = draw_weights(num_samples if per_sample else 1, num_mix, alpha, generator)
    index = draw_index(num_samples, num_mix, generator)
    weights = weights.expand(num_samples, -1)
    return Draw(weights, index, generator, in_order=True).to(device)
