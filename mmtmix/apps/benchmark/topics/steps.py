"""Training steps with and without mixing, on a batch that is on the device."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from mmtmix.apps.benchmark.bench import Bench, Call
from mmtmix.apps.benchmark.report import STEP

from .calls import Calls
from .learned import transformmix
from .supermix import SUPERMIX

Mix = Callable[[], tuple[Tensor, Tensor]]

SIMPLE = f'{STEP} without mixing'


def steps(bench: Bench) -> Calls:
    """Return whole steps, and the mixing in them alone.

    A step is mixing, forward, backward and SGD. The network is the teacher's, and computes
    channels last.

    Args:
        bench: Batch and teacher.
    """
    bench.inputs = bench.inputs.contiguous(memory_format=torch.channels_last)
    network = copy.deepcopy(bench.teacher.model).requires_grad_()
    network.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(network.parameters(), 1e-4, 0.9, nesterov=True)

    def step(mix: Mix | None) -> Call:
        def call() -> None:
            optimizer.zero_grad(set_to_none=True)
            with bench.autocast():
                inputs, scores = (bench.inputs, bench.scores) if mix is None else mix()
                logits = network(inputs, mode='tensor')
                loss = nn.functional.cross_entropy(logits.float(), scores)
            loss.backward()
            optimizer.step()

        return call

    mixes: dict[str, Mix] = {
        'CutMix': bench.mixer(type='SampleCutMix'),
        'TransformMix': transformmix(bench),
    }
    calls = Calls({SIMPLE: step(None)}, images=len(bench.inputs))
    if bench.trained is None:
        calls.missing[f'{STEP} with {SUPERMIX}'] = 'it needs a trained teacher: give --config'
    else:
        mixes[SUPERMIX] = bench.mixer(type='SuperMix', teacher=bench.teacher)
    for name, mix in mixes.items():
        calls.timed[f'{STEP} with {name}'] = step(mix)
    calls.counted = tuple(calls.timed)
    calls.timed |= {f'mixing by {name}': mix for name, mix in mixes.items()}
    return calls
