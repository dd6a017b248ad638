"""A step of TransformMix's search, beside passes of its teacher."""

from __future__ import annotations

import torch
from mmpretrain.structures import DataSample

from mmtmix.apps.benchmark.bench import Bench
from mmtmix.apps.benchmark.report import FORWARD
from mmtmix.functional import soft_cross_entropy
from mmtmix.models import MixerSearch

from .calls import Calls

BOTH_PASSES = 'forward and backward of the teacher'
SEARCH_STEP = 'search step'


def search(bench: Bench) -> Calls:
    """Return a search step, and the passes of the teacher that it cannot do without.

    A step needs a forward pass for the CAMs, and a forward and backward pass for the mixes. The
    teacher's weights need no gradients.

    Args:
        bench: Batch and teacher.
    """
    model = MixerSearch(teacher=bench.teacher, mixer=bench.module).to(bench.device)
    optimizer = torch.optim.SGD(model.parameters(), 1e-3, 0.9)
    labels = bench.scores.argmax(dim=1).tolist()
    samples = [DataSample().set_gt_label(label) for label in labels]

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        model(bench.inputs, samples, mode='loss')['loss'].backward()
        optimizer.step()

    leaf = bench.inputs.clone().requires_grad_()

    def both() -> None:
        leaf.grad = None
        logits = bench.teacher(leaf, check=False)
        soft_cross_entropy(logits, bench.scores).mean().backward()

    return Calls({FORWARD: bench.forward(), BOTH_PASSES: both, SEARCH_STEP: step})
