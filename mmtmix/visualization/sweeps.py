"""Mixes of the same images with one setting changed (TransformMix, Figures 4 and 5)."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmtmix.checks import check_integer, check_numbers
from mmtmix.models import BatchAugment, TransformMix
from mmtmix.models.draw import Details, Draw

from .labels import share_symbol

LAMS = tuple(step / 10 for step in range(1, 10))

# factors of the learned temperature, from nearly hard masks to nearly uniform ones
TEMPERATURE_FACTORS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Sweep:
    """The mixes of a batch for each of S values.

    Attributes:
        title: Name of the setting that changes.
        values: Values of the setting, S of them.
        mixed: Mixes, (S, N, C, H, W).
        masks: Masks of the mixes, (S, N, k, 1, H, W).
        saliency: Saliency that the masks were made from, (N, k, 1, h, w); None for an augment
            without saliency.
        index: Images of each mix, (N, k).
        weights: Shares of the images, (N, k); None where they are what changes.
        learned: Position of the learned value in ``values``; None if there is none.
        saliency_title: Name of the saliency.
    """

    title: str
    values: tuple[float, ...]
    mixed: Tensor
    masks: Tensor
    saliency: Tensor | None
    index: Tensor
    weights: Tensor | None = None
    learned: int | None = None
    saliency_title: str = 'Saliency'


def sweep_lambda(
    augment: BatchAugment,
    batch_inputs: Tensor,
    batch_scores: Tensor,
    index: Tensor,
    lams: Sequence[float] = LAMS,
    seed: int = 0,
) -> Sweep:
    """Mix with several shares of the first image and the same noise (Figure 5).

    For an augment that changes the drawn weights, the shares in the mixes are only near ``lams``.

    Args:
        augment: Augment, of any kind.
        batch_inputs: Normalised images, (N, C, H, W).
        batch_scores: Soft or one-hot labels, (N, num_classes), in float.
        index: Images of each mix, (N, k).
        lams: Shares of the first image, in [0, 1]; the others share the rest equally.
        seed: Seed of the noise, >= 0.

    Returns:
        The sweep.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If a share is not in [0, 1].
    """
    check_numbers('lams', lams, least=0, most=1)
    check_integer('seed', seed, 0)
    results = []
    for lam in lams:
        weights = torch.full_like(index, 0, dtype=torch.float32)
        weights[:, 0], weights[:, 1:] = lam, (1 - lam) / (index.size(1) - 1)
        results.append(_mix(augment, batch_inputs, batch_scores, weights, index, seed))
    title = f'Mix, by share {share_symbol(0)} of the first image'
    return Sweep(
        title,
        tuple(lams),
        *_stack(results),
        index=index,
        saliency_title=augment.saliency_title,
    )


def sweep_temperature(
    augment: TransformMix,
    batch_inputs: Tensor,
    batch_scores: Tensor,
    weights: Tensor,
    index: Tensor,
    temperatures: Sequence[float] | None = None,
    seed: int = 0,
) -> Sweep:
    """Mix with several softmax temperatures, the learned one among them (Figure 4).

    Args:
        augment: Augment, which is not changed.
        batch_inputs: Normalised images, (N, C, H, W).
        batch_scores: Soft or one-hot labels, (N, num_classes), in float.
        weights: Shares, (N, k).
        index: Images of each mix, (N, k).
        temperatures: Temperatures besides the learned one, > 0; by default from a tenth of the
            learned one to ten times as much.
        seed: Seed of the noise, >= 0.

    Returns:
        The sweep, from sharp to soft masks.

    Raises:
        TypeError: If the augment has no temperature.
        ValueError: If a temperature is not positive.
    """
    if not isinstance(augment, TransformMix):
        raise TypeError(
            f'a temperature sweep needs a TransformMix, got {type(augment).__name__}, which has '
            'no softmax temperature; sweep lambda instead, which every augment has'
        )
    learned = float(augment.mixer.temperature)
    if temperatures is None:
        temperatures = [factor * learned for factor in TEMPERATURE_FACTORS if factor != 1]
    check_numbers('temperatures', temperatures, above=0)
    check_integer('seed', seed, 0)
    values = sorted({*map(float, temperatures), learned})
    results = []
    for value in values:
        tempered = augment if value == learned else _at_temperature(augment, value)
        results.append(_mix(tempered, batch_inputs, batch_scores, weights, index, seed))
    title, position = 'Mix, by softmax temperature τ', values.index(learned)
    name = augment.saliency_title
    return Sweep(title, tuple(values), *_stack(results), index, weights, position, name)


def _at_temperature(augment: TransformMix, temperature: float) -> TransformMix:
    """Return an augment that differs in its temperature alone and shares the teacher."""
    twin = copy.copy(augment)  # a deep copy of a batch augment is the augment itself
    twin.mixer = copy.deepcopy(augment.mixer)
    with torch.no_grad():
        twin.mixer.log_temperature.fill_(math.log(temperature))
    return twin


def _mix(
    augment: BatchAugment,
    batch_inputs: Tensor,
    batch_scores: Tensor,
    weights: Tensor,
    index: Tensor,
    seed: int,
) -> tuple[Tensor, Details]:
    generator = torch.Generator().manual_seed(seed)  # the same noise for every value
    return augment.mix_with_details(batch_inputs, batch_scores, Draw(weights, index, generator))


def _stack(results: list[tuple[Tensor, Details]]) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return mixes, masks and, if there is any, the saliency, which is the same for all values."""
    mixed = torch.stack([mixed for mixed, _ in results])
    masks = torch.stack([details['masks'] for _, details in results])
    return mixed, masks, results[0][1].get('saliency')
