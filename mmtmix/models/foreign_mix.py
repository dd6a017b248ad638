"""How a batch augment of another library mixed, found by replaying its draw.

MMPretrain's ``Mixup``, ``CutMix`` and ``ResizeMix`` return no partners, weights or masks. They are
linear in images and in labels. So the same draw on other images and labels shows all of them:
labels ``eye(N)`` become the weights, and images that are 1 where they come from one image become
its masks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy

import torch
from torch import Tensor

from mmtmix.utils import RandomState

from .draw import Details

ForeignAugment = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

_TOLERANCE = 1e-3
_SMALLEST = 1e-6  # of a weight or a mask that counts


def mix_foreign(
    augment: ForeignAugment,
    images: Tensor,
    scores: Tensor,
    rows: Sequence[int] | None = None,
) -> tuple[Tensor, Tensor, Details]:
    """Mix a batch by an augment of another library, and find out how the mixes were made.

    The augment is called once. Mixes, labels and all random streams are those of a plain call
    ``augment(images, scores)``. The batch is not written to.

    Args:
        augment: Batch augment, as :class:`ForeignDraw` takes it.
        images: Images, normalised, (N, C, H, W).
        scores: Soft or one-hot labels, (N, num_classes).
        rows: Numbers of the R mixes whose details are returned, 0 to N - 1; None for all.

    Returns:
        Mixes (N, C, H, W), labels (N, num_classes) in float, and the details of
        :meth:`ForeignDraw.explain`.

    Raises:
        ValueError: If the augment can't be copied, or the mixes or labels are not linear in images
            and labels.
    """
    draw = ForeignDraw(augment, images.device)
    mixed, targets = augment(images.clone(), scores.clone())
    mixed, targets = mixed.detach(), targets.detach()
    return mixed, targets, draw.explain(images, scores, mixed, targets, rows)


class ForeignDraw:
    """What an augment of another library draws in its next call, to replay on other images.

    It is made before that call. Replays run copies of the augment, so a generator or a counter of
    its own stays as the call leaves it.

    Args:
        augment: Batch augment that is linear in images and in labels, such as MMPretrain's
            ``Mixup``, ``CutMix`` and ``ResizeMix``. It draws from generators of its own, or from
            the global ones of Python, NumPy or torch.
        device: Device of the images.

    Attributes:
        is_apart: Whether replays leave the augment as it is. A function is its own copy, and may
            change what it refers to.

    Raises:
        ValueError: If the augment can't be copied.
    """

    def __init__(self, augment: ForeignAugment, device: torch.device):
        try:
            self._twin = deepcopy(augment)
        except Exception as error:
            raise ValueError(
                f'{_name(augment)} cannot be copied ({type(error).__name__}: {error}), so nothing '
                'shows how it mixes; use an augment of mmtmix, whose details are known'
            ) from error
        self.is_apart = self._twin is not augment
        self._state = RandomState.of(device)

    @torch.no_grad()
    def explain(
        self,
        images: Tensor,
        scores: Tensor,
        mixed: Tensor,
        targets: Tensor,
        rows: Sequence[int] | None = None,
    ) -> Details:
        """Return how the mixes of the call were made.

        Args:
            images: Images of the call, (N, C, H, W), as they were before it.
            scores: Labels of the call, (N, num_classes), as they were before it.
            mixed: Mixes that it returned, (N, C, H, W).
            targets: Labels that it returned, (N, num_classes).
            rows: Numbers of the R mixes to explain, 0 to N - 1; None for all. The memory for few
                rows stays below that of the batch.

        Returns:
            Details of these mixes: ``weights`` (R, k), ``index`` (R, k), own image first,
            ``masks`` (R, k, 1, H, W) and ``warped`` (R, k, C, H, W). A mix of fewer images than k
            names its own image in the remaining places, with masks and weights of 0.

        Raises:
            ValueError: If the mixes or labels are not linear in images and labels.
        """
        chosen = torch.arange(len(images), device=images.device)
        if rows is not None:
            chosen = chosen[list(rows)]
        eye = torch.eye(len(images), device=images.device)
        shares = self._replay(torch.zeros_like(images), eye)[1]
        _check_labels(self._twin, shares, scores, targets)
        weights, index = _partners(shares, chosen)
        # of an image that fills a remaining place, nothing is shown
        used = weights > _SMALLEST
        used[:, 0] = True
        masks = self._masks(images, chosen, index, used)
        warped = images[index]
        if not _agrees(masks, warped, mixed[chosen]):
            warped = self._warped(images, chosen, index, used, masks)
        if not _agrees(masks, warped, mixed[chosen]):
            raise ValueError(
                f'{_name(self._twin)} is not linear in its images, so nothing shows how it mixes; '
                'use an augment of mmtmix, whose details are known'
            )
        return dict(weights=weights, index=index, masks=masks, warped=warped)

    def _replay(self, images: Tensor, scores: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the mixes and labels that the draw makes of a batch, which is written to."""
        if scores is None:
            scores = images.new_zeros(len(images), 2)
        twin = deepcopy(self._twin)
        with self._state.replayed():
            return twin(images, scores)

    def _masks(self, images: Tensor, rows: Tensor, index: Tensor, used: Tensor) -> Tensor:
        """Return the masks of some mixes, (R, k, 1, H, W)."""
        channels, (height, width) = images.size(1), images.shape[-2:]
        masks = images.new_zeros(*index.shape, 1, height, width)
        for sources in index[used].unique().split(channels):
            # as many images per replay as there are channels, so that a probe is as large as a
            # batch
            probe = torch.zeros_like(images)
            for channel, source in enumerate(sources):
                probe[source, channel] = 1
            planes = self._replay(probe)[0]
            for channel, source in enumerate(sources):
                row, place = ((index == source) & used).nonzero(as_tuple=True)
                masks[row, place, 0] = planes[rows[row], channel]
        return masks

    def _warped(
        self, images: Tensor, rows: Tensor, index: Tensor, used: Tensor, masks: Tensor
    ) -> Tensor:
        """Return the images of some mixes where they lie in them, 0 where they don't show."""
        warped = images.new_zeros(*index.shape, *images.shape[1:])
        for source, row, place in _places(index, used):
            probe = torch.zeros_like(images)
            probe[source] = images[source]
            part, mask = self._replay(probe)[0][rows[row]], masks[row, place]
            warped[row, place] = torch.where(mask > _SMALLEST, part / mask, 0)
        return warped


def _partners(shares: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return weights and images of the mixes, (R, k), own image first, from all shares (N, N)."""
    others = shares[rows]
    own = others.gather(1, rows[:, None])
    others = others.scatter(1, rows[:, None], 0)
    count = int((others > _SMALLEST).sum(dim=1).amax()) if len(rows) else 0
    count = min(max(count, 1), others.size(1))
    weights, partners = others.topk(count, dim=1)
    partners = torch.where(weights > _SMALLEST, partners, rows[:, None])
    return torch.cat([own, weights], dim=1), torch.cat([rows[:, None], partners], dim=1)


def _places(index: Tensor, used: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield each image that is used, with the rows and places of the mixes that show it."""
    for source in index[used].unique():
        row, place = ((index == source) & used).nonzero(as_tuple=True)
        yield source, row, place


def _agrees(masks: Tensor, warped: Tensor, mixed: Tensor) -> bool:
    """Return whether masks and images explain the mixes, and no image is left out of them."""
    found = (masks * warped).sum(dim=1)
    scale = mixed.abs().amax() if mixed.numel() else 1
    is_whole = bool(((masks.sum(dim=1) - 1).abs() < _TOLERANCE).all())
    return is_whole and bool(((found - mixed).abs() <= _TOLERANCE * scale).all())


def _check_labels(
    augment: ForeignAugment, shares: Tensor, scores: Tensor, targets: Tensor
) -> None:
    with torch.autocast(shares.device.type, enabled=False):
        expected = shares @ scores.to(shares.dtype)
    if not torch.allclose(expected, targets.to(shares.dtype), atol=_TOLERANCE):
        raise ValueError(
            f'{_name(augment)} is not linear in its labels, so nothing shows whose they are; use '
            'an augment of mmtmix, whose details are known'
        )


def _name(augment: object) -> str:
    return getattr(augment, '__name__', type(augment).__name__)
