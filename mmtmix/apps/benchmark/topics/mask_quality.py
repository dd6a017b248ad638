"""Quality of SuperMix's masks, by this library's solver and by the paper's."""

from __future__ import annotations

from functools import partial

import torch
from mmpretrain.registry import BATCH_AUGMENTS
from torch import Tensor

from mmtmix.apps.benchmark.bench import Bench
from mmtmix.apps.benchmark.report import Row
from mmtmix.functional import SUPERMIX_PAPER, mix_targets
from mmtmix.functional.mask_losses import forward_divergence, sparsity
from mmtmix.models import BatchAugment

from .calls import Calls
from .supermix import BATCHES, SUPERMIX

_FIRST = 12  # batches on which no default of the solver was chosen
QUALITIES = ('divergence', 'density', 'roughness', 'distance of area and weight')


def mask_quality(bench: Bench) -> Calls:
    """Return the means, over four batches, of what masks of two and three images are like.

    Divergence is KL(target, teacher) in nats. Density is the mean of m (1 - m), 0 where each pixel
    belongs to one image. Roughness is the mean absolute difference of neighbouring pixels. The
    distance is that of an image's part of the area from its weight.

    Args:
        bench: Batch and trained teacher.
    """
    calls = Calls()
    for num_mix, name in ((2, SUPERMIX), (3, f'{SUPERMIX} k=3')):
        for settings, suffix in (({}, ''), (SUPERMIX_PAPER, ' as published')):
            config = dict(type='SuperMix', teacher=bench.teacher, num_mix=num_mix, **settings)
            found: dict[str, float] = {}
            measure = partial(_measure, bench, config, found)
            calls.once[f'{name}{suffix}'] = measure
            for quality in QUALITIES:
                calls.once[f'{quality} of {name}{suffix}'] = partial(_value, found, quality)
    return calls


def _measure(bench: Bench, config: dict, found: dict[str, float]) -> Row:
    """Mix the batches, store the means of the qualities, and return the solver's figures."""
    augment: BatchAugment = BATCH_AUGMENTS.build(config)
    columns: dict[str, list[Tensor]] = {}
    for number in range(_FIRST, _FIRST + BATCHES):
        torch.manual_seed(bench.seed + number)
        inputs, scores = bench.images(number)
        details = augment(inputs, scores, return_details=True)[2]
        for name, values in _qualities(details, scores.size(1)).items():
            columns.setdefault(name, []).append(values)
    means = {name: torch.cat(parts).float().mean().item() for name, parts in columns.items()}
    found.update(means)
    return Row(iterations=means['iterations'], finished=means['finished'])


def _qualities(details: dict[str, Tensor], num_classes: int) -> dict[str, Tensor]:
    """Return figures of each mix, each (N,)."""
    masks, weights = details['masks'].squeeze(2), details['weights']
    one_hot = torch.eye(num_classes, device=weights.device)
    targets = mix_targets(one_hot, weights, details['classes'])
    sides = [masks.diff(dim=axis).abs().mean(dim=(1, 2, 3)) for axis in (2, 3)]
    return {
        'iterations': details['iterations'],
        'finished': details['finished'],
        'divergence': forward_divergence(details['logits'], targets),
        'density': sparsity(masks),
        'roughness': (sides[0] + sides[1]) / 2,
        'distance of area and weight': (masks.mean(dim=(2, 3)) - weights).abs().mean(dim=1),
    }


def _value(found: dict[str, float], name: str) -> Row:
    return Row(value=found[name])
