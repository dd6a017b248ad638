"""The same images mixed with one thing changed (TransformMix, Figures 4 and 5)."""

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

# of the learned temperature: from masks of nearly black and white to nearly grey ones
TEMPERATURE_FACTORS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Sweep:
    """The mixes of a batch for each of S values.

    Attributes:
        title: What the values are.
        values: S of them.
        mixed: The mixes, (S, N, C, H, W).
        masks: Their masks, (S, N, k, 1, H, W).
        saliency: What the masks were made of, (N, k, 1, h, w), or None of a mixer without.
        index: The images of each mix, (N, k).
        weights: Their shares, (N, k), or None where they are what changes.
        learned: Position of the learned value, or None.
    """

    title: str
    values: tuple[float, ...]
    mixed: Tensor
    masks: Tensor
    saliency: Tensor | None
    index: Tensor
    weights: Tensor | None = None
    learned: int | None = None


def sweep_lambda(
    augment: BatchAugment,
    batch_inputs: Tensor,
    batch_scores: Tensor,
    index: Tensor,
    lams: Sequence[float] = LAMS,
    seed: int = 0,
) -> Sweep:
    """Mix with several shares of the first image and the same noise (Figure 5).

    A mixer that changes the weights it gets comes close to the shares only.

    Args:
        augment: The mixer, of any kind.
        batch_inputs: Normalised images, (N, C, H, W).
        batch_scores: Soft or one-hot labels, (N, num_classes), in float.
        index: The images of each mix, (N, k).
        lams: Shares of the first image; the others share the rest equally.
        seed: Of the noise.

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
    return Sweep(title, tuple(lams), *_stack(results), index=index)


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
        augment: The mixer; it is not changed.
        batch_inputs: Normalised images, (N, C, H, W).
        batch_scores: Soft or one-hot labels, (N, num_classes), in float.
        weights: Shares, (N, k).
        index: The images of each mix, (N, k).
        temperatures: Others than the learned one, > 0; from a tenth of the learned one to ten
            times it by default.
        seed: Of the noise.

    Returns:
        The sweep, from sharp to soft masks.

    Raises:
        TypeError: If the mixer has no temperature.
        ValueError: If a temperature is not positive.
    """
    if not isinstance(augment, TransformMix):
        raise TypeError(
            f'a temperature sweep needs a TransformMix, got {type(augment).__name__}, which has '
            'no softmax temperature; sweep lambda instead, which every mixer has'
        )
    learned = float(augment.mixer.temperature)
    if temperatures is None:
        temperatures = [factor * learned for factor in TEMPERATURE_FACTORS if factor != 1]
    check_numbers('temperatures', temperatures, above=0)
    check_integer('seed', seed, 0)
    values = sorted({*map(float, temperatures), learned})
    results = []
    for value in values:
        mixer = augment if value == learned else _at_temperature(augment, value)
        results.append(_mix(mixer, batch_inputs, batch_scores, weights, index, seed))
    title, position = 'Mix, by softmax temperature τ', values.index(learned)
    return Sweep(title, tuple(values), *_stack(results), index, weights, position)


def _at_temperature(augment: TransformMix, temperature: float) -> TransformMix:
    """A mixer that differs in its temperature alone and shares the teacher."""
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
    """The mixes, masks and, if there is any, saliency, which is the same for every value."""
    mixed = torch.stack([mixed for mixed, _ in results])
    masks = torch.stack([details['masks'] for _, details in results])
    return mixed, masks, results[0][1].get('saliency')
