"""Mix only some samples of a batch, by different augments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.checks import check_choice, check_numbers
from mmtmix.models.draw import Details, Draw, rank_generator

from .batch_augment import BatchAugment

PER = ('sample', 'batch')
_ROUNDING = 1e-6


@BATCH_AUGMENTS.register_module()
class ChooseAugment(BatchAugment):
    """Choose an augment for each sample, or for each batch; the rest of the samples stay unmixed.

    Partners come from the whole batch. ``CoMixup`` is an exception: it groups the samples that
    chose it among themselves. An augment mixes only the samples that chose it, so no mix is made
    that is not used. MMPretrain's ``probs`` beside ``augments`` choose one augment for a whole
    batch; with ``per='sample'`` this is the ``elem`` mode of timm, for any augments.

    The details have as well: ``choice`` (N,), the position in ``augments`` of the augment that
    made each mix, -1 for an unmixed image; and ``targets`` (N, num_classes). Mixes of fewer images
    than k name their own image in the remaining places, with masks and weights of 0.

    Args:
        augments: Batch augments of this library, or their configs, at least one. MMPretrain's own
            ``Mixup`` and ``CutMix`` mix whole batches; ``SampleMixup`` and ``SampleCutMix`` are
            the same methods.
        probs: Probability of each augment, > 0, with a sum of at most 1; the rest of the
            probability leaves samples unmixed.
        per: Unit that chooses: ``'sample'`` or ``'batch'``.
        num_classes: Number of classes, >= 1, for integer labels (N,); None takes scores alone.

    Raises:
        TypeError: If an argument is of another type, or an augment is none of this library's.
        ValueError: If an argument is out of its range.
    """

    follows_index = False

    def __init__(
        self,
        augments: Sequence[dict | BatchAugment],
        probs: Sequence[float],
        per: str = 'sample',
        num_classes: int | None = None,
    ):
        check_choice('per', per, PER)
        self.augments = list(map(_build, _checked(augments)))
        check_numbers('probs', probs, len(self.augments), above=0, cure='one for each of augments')
        if sum(probs) > 1 + _ROUNDING:
            raise ValueError(
                f'probs must sum to at most 1, got {list(probs)} with a sum of {sum(probs):.6g}; '
                'what they lack to 1 is the share of unmixed samples'
            )
        if per == 'sample' and sum(augment.adds_loss for augment in self.augments) > 1:
            raise ValueError(
                'augments has several with a clean loss (InputGradient with clean_lam > 0), and a '
                'later one would replace the others; set clean_lam=0 in all but one, or '
                "per='batch'"
            )
        super().__init__(max(augment.num_mix for augment in self.augments), 1.0, num_classes)
        self.probs, self.per = list(probs), per
        if num_classes is not None:
            self.check_classes(num_classes)

    @property
    def parts(self) -> tuple[BatchAugment, ...]:
        """See :attr:`BatchAugment.parts`."""
        return tuple(self.augments)

    @property
    def needs_network(self) -> bool:
        """See :attr:`BatchAugment.needs_network`."""
        return any(augment.needs_network for augment in self.augments)

    def load(self) -> None:
        """See :meth:`BatchAugment.load`."""
        for augment in self.augments:
            augment.load()

    def check_classes(self, num_classes: int) -> None:
        """See :meth:`BatchAugment.check_classes`."""
        for augment in self.augments:
            augment.check_classes(num_classes)

    def make_draw(
        self, scores: Tensor, repeat: int = 1, generator: torch.Generator | None = None
    ) -> Draw:
        """See :meth:`BatchAugment.make_draw`; it draws the choice as well."""
        generator = generator or rank_generator()
        choice = self._draw_choice(len(scores), repeat, generator)
        own = torch.arange(len(scores), device=scores.device).repeat(repeat)
        index = own[:, None].repeat(1, self.num_mix)
        weights = torch.zeros(index.shape, device=scores.device)
        weights[:, 0] = 1
        for number, rows in _chosen(choice, len(self.augments)):
            augment, rows = self.augments[number], rows.to(scores.device, non_blocking=True)
            part = augment.make_draw(scores, repeat, generator)
            weights[rows, : augment.num_mix] = part.weights[rows]
            index[rows, : augment.num_mix] = part.index[rows]
        return Draw(weights, index, generator, choice)

    def mix(self, images: Tensor, scores: Tensor, draw: Draw) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix`.

        Labels of the parts are among the details.

        Raises:
            ValueError: If the draw has no choice.
        """
        if draw.full_details:
            return self.mix_with_details(images, scores, draw)
        mixed, details, _ = self._mix_parts(images, scores, draw, with_details=False)
        return mixed, details

    def mix_with_details(
        self, images: Tensor, scores: Tensor, draw: Draw
    ) -> tuple[Tensor, Details]:
        """See :meth:`BatchAugment.mix_with_details`."""
        replay = draw.to_details()
        mixed, details, parts = self._mix_parts(images, scores, draw, with_details=True)
        index = details['index']
        masks = images.new_zeros(*index.shape, 1, *images.shape[-2:], dtype=torch.float32)
        masks[:, 0] = 1
        warped = images[index]
        for rows, part in parts:
            count = part['index'].size(1)
            masks[rows, :count] = part['masks']
            warped[rows, :count] = part['warped']
        return mixed, {**replay, **details, 'masks': masks, 'warped': warped}

    def mix_targets(self, scores: Tensor, details: Details) -> Tensor:
        """See :meth:`BatchAugment.mix_targets`; each augment labels its own mixes."""
        return details['targets']

    def unmixed_details(self, images: Tensor, scores: Tensor) -> Details:
        """See :meth:`BatchAugment.unmixed_details`."""
        details = super().unmixed_details(images, scores)
        return dict(details, targets=scores, choice=torch.full_like(details['index'][:, 0], -1))

    def _draw_choice(self, num_samples: int, repeat: int, generator: torch.Generator) -> Tensor:
        """Draw the position of each mix's augment, -1 for none, int64 (R * N,) on the CPU."""
        rest = 1 - sum(self.probs)
        probs = torch.tensor([*self.probs, rest if rest > _ROUNDING else 0], dtype=torch.float64)
        count = repeat if self.per == 'batch' else repeat * num_samples
        choice = probs.multinomial(count, replacement=True, generator=generator)
        choice[choice == len(self.augments)] = -1
        return choice.repeat_interleave(num_samples) if self.per == 'batch' else choice

    def _mix_parts(
        self, images: Tensor, scores: Tensor, draw: Draw, with_details: bool
    ) -> tuple[Tensor, Details, list[tuple[Tensor, Details]]]:
        """Mix by each augment the rows that chose it.

        Returns:
            Mixes, their details but for masks and warped images, and rows and details of each
            augment.
        """
        if draw.choice is None:
            raise ValueError(
                'draw has no choice of augments; get it from make_draw of the ChooseAugment'
            )
        own = draw.index[:, 0]
        mixed, targets = images.index_select(0, own), scores.index_select(0, own)
        parts = []
        for number, rows in _chosen(draw.choice, len(self.augments)):
            rows = rows.to(images.device, non_blocking=True)
            found, part = _mix_rows(
                self.augments[number], images, scores, draw.take(rows), with_details
            )
            mixed[rows], targets[rows] = found, part['targets']
            parts.append((rows, part))
        num_mix = max([self.num_mix, *(part['index'].size(1) for _, part in parts)])
        index = own[:, None].repeat(1, num_mix)
        weights = draw.weights.new_zeros(index.shape)
        weights[:, 0] = 1
        for rows, part in parts:
            count = part['index'].size(1)
            index[rows, :count], weights[rows, :count] = part['index'], part['weights']
        choice = draw.choice.to(images.device, non_blocking=True)
        details = dict(weights=weights, index=index, choice=choice, targets=targets)
        return mixed, details, parts


def _mix_rows(
    augment: BatchAugment, images: Tensor, scores: Tensor, draw: Draw, with_details: bool
) -> tuple[Tensor, Details]:
    """Mix some rows of a batch, given only the images that they need."""
    draw = Draw(
        draw.weights[:, : augment.num_mix], draw.index[:, : augment.num_mix], draw.generator
    )
    needed = draw.index.flatten() if augment.follows_index else draw.index[:, 0]
    has_all = augment.needs_batch or len(needed) >= len(images)
    if not has_all:
        # a teacher then runs on these images alone
        images, scores = images.index_select(0, needed), scores.index_select(0, needed)
        places = torch.arange(len(needed), device=needed.device).view(len(draw.index), -1)
        draw = Draw(draw.weights, places.expand_as(draw.index), draw.generator)
    mix = augment.mix_with_details if with_details else augment.mix_and_label
    mixed, details = mix(images, scores, draw)
    details = {'weights': draw.weights, 'index': draw.index, **details}
    details['targets'] = augment.mix_targets(scores, details)
    if not has_all:
        details['index'] = needed[details['index']]
    return mixed, details


def _chosen(choice: Tensor, count: int) -> Iterator[tuple[int, Tensor]]:
    """Yield each chosen augment's position with its rows, which are counted on the CPU."""
    for number in range(count):
        rows = (choice == number).nonzero().squeeze(1)
        if len(rows):
            yield number, rows


def _checked(augments: Sequence[dict | BatchAugment]) -> Sequence[dict | BatchAugment]:
    if not isinstance(augments, (list, tuple)) or not augments:
        raise TypeError(
            f'augments must be a list of batch augments or their configs, got {augments!r:.200}'
        )
    return augments


def _build(augment: dict | BatchAugment) -> BatchAugment:
    """Return the augment of a config, or the augment itself."""
    if isinstance(augment, Mapping) and 'type' in augment:
        augment = BATCH_AUGMENTS.build(deepcopy(dict(augment)))
    if not isinstance(augment, BatchAugment) or isinstance(augment, ChooseAugment):
        raise TypeError(
            "augments must hold batch augments of mmtmix, such as dict(type='SampleMixup') or "
            f"'SampleCutMix' in place of MMPretrain's, and no ChooseAugment, got {augment!r:.200}"
        )
    return augment
