"""Mixers that see the images: TransformMix and those with saliency."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from mmtmix.apps.benchmark.bench import Bench
from mmtmix.apps.benchmark.report import BLEND, FORWARD, Row
from mmtmix.models import InputGradient, SaliencySource
from mmtmix.models.augments import AUGMENTS, WITH_TEACHER
from mmtmix.utils import fast_precision, load_config

from .calls import Calls

TRANSFORMMIX = 'TransformMix'
PUBLISHED = 'TransformMix as published'
FROM_CAMS = 'TransformMix from CAMs computed before'
_CUTS = ('PuzzleMix', 'Co-Mixup')
_NO_MAXFLOW = 'PyMaxflow is not installed'
_BLOCKS = (4, 8, 16)


def learned(bench: Bench) -> Calls:
    """Return TransformMix and the mixers with saliency, beside the teacher's forward pass.

    Args:
        bench: Batch and teacher.
    """
    calls = Calls({FORWARD: bench.forward(), BLEND: bench.blend()}, live=True)
    for num_mix, name in ((2, TRANSFORMMIX), (3, f'{TRANSFORMMIX} k=3')):
        calls.timed[name] = transformmix(bench, num_mix=num_mix)
    calls.timed[PUBLISHED] = transformmix(bench, module=published_module(bench))
    for name in ('SaliencyMix', 'AttentiveMix', *_CUTS):
        if name in _CUTS and not find_spec('maxflow'):
            calls.missing[name] = _NO_MAXFLOW
            continue
        teacher = dict(teacher=bench.teacher) if name in WITH_TEACHER else {}
        calls.timed[name] = bench.mixer(**AUGMENTS[name], **teacher)
    return calls


def large_images(bench: Bench) -> Calls:
    """Return TransformMix whole and without its forward pass, for teachers that cost much more.

    The pass takes nearly all of the time. So a difference of two times would be lost in their
    noise, and what is added to the pass is measured by itself.

    Args:
        bench: Batch and teacher.
    """
    calls = Calls({FORWARD: bench.forward(), TRANSFORMMIX: transformmix(bench)})
    calls.timed[FROM_CAMS] = transformmix(bench, teacher=bench.answered())
    return calls


def bfloat16(bench: Bench) -> Calls:
    """Return TransformMix under bfloat16 autocast beside a float32 forward pass, where it pays.

    Args:
        bench: Batch and teacher.
    """
    precision = fast_precision(torch.device(bench.device).type)
    names = f'{TRANSFORMMIX} in bfloat16', 'correlation of saliency'
    if precision.dtype == torch.float32:
        return Calls(missing=dict.fromkeys(names, precision.reason))
    mix = transformmix(bench)

    def call() -> object:
        with bench.autocast('bfloat16'):
            return mix()

    calls = Calls({FORWARD: bench.forward(), names[0]: call})
    calls.once[names[1]] = lambda: Row(value=saliency_correlation(bench))
    return calls


def puzzle(bench: Bench) -> Calls:
    """Return PuzzleMix's mixing alone: graph cuts and transport, from saliency computed before.

    Args:
        bench: Batch and teacher, whose gradients are the saliency.
    """
    names = {blocks: f'PuzzleMix without saliency, {blocks} blocks' for blocks in _BLOCKS}
    if not find_spec('maxflow'):
        return Calls(missing=dict.fromkeys(names.values(), _NO_MAXFLOW))
    with bench.live():
        computed = PrecomputedSaliency(InputGradient()(bench.inputs, bench.scores))
    calls = Calls({FORWARD: bench.forward(), BLEND: bench.blend()})
    for blocks, name in names.items():
        calls.timed[name] = bench.mixer(type='PuzzleMix', saliency=computed, block_num=blocks)
    return calls


def transformmix(
    bench: Bench, num_mix: int = 2, module: dict[str, Any] | None = None, **settings: Any
) -> Any:
    """Return a function that mixes the batch by TransformMix.

    Args:
        bench: Batch and teacher.
        num_mix: Number of images per mix, k >= 2.
        module: Config of the module; by default this library's settings.
        settings: Other arguments of the augment.
    """
    module = dict(module or bench.module, num_mix=num_mix)
    settings = dict(teacher=bench.teacher) | settings
    return bench.mixer(type='TransformMix', mixer=module, num_mix=num_mix, **settings)


def published_module(bench: Bench) -> dict[str, Any]:
    """Return the config of the module as the paper has it.

    Args:
        bench: Bench whose images the module serves.
    """
    paper = load_config('mmtmix::_base_/mixers/transformmix_paper.py').model.mixer
    return dict(paper, cam_size=bench.setting.cam_size)


def saliency_correlation(bench: Bench) -> float:
    """Return the least correlation, over the images, of saliency in bfloat16 and in float32.

    Args:
        bench: Batch and teacher.
    """
    classes = bench.scores.argmax(dim=1)
    exact = bench.teacher.saliency(bench.inputs, classes)[1].flatten(1)
    with bench.autocast('bfloat16'):
        rounded = bench.teacher.saliency(bench.inputs, classes)[1].flatten(1)
    pairs = zip(exact, rounded, strict=True)
    return min(torch.corrcoef(torch.stack(pair))[0, 1].item() for pair in pairs)


class PrecomputedSaliency(SaliencySource):
    """Saliency that was computed before, so that the steps after it are timed alone.

    Args:
        saliency: Maps of the batch, (N, 1, H, W).
    """

    def __init__(self, saliency: Tensor):
        self.saliency = saliency

    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """Return the precomputed maps for any batch."""
        return self.saliency
