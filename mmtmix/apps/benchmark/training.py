"""Time of training steps with and without mixing, and of other libraries' augments."""

from __future__ import annotations

import argparse
import copy
import os
import statistics
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mmtmix.models import FrozenTeacher
from mmtmix.utils import peak_memory, seconds_of
from mmtmix.visualization import load_images

from .timed_mixers import SUPERMIX, Bench, Call

NETWORKS: dict[str, tuple[dict[str, Any], int]] = {
    'wrn16_1': (dict(type='WideResNet', depth=16, widen_factor=1), 64),
    'wrn40_2': (dict(type='WideResNet', depth=40, widen_factor=2), 128),
    'wrn28_10': (dict(type='WideResNet', depth=28, widen_factor=10, layout='puzzle'), 640),
    'resnet18_cifar': (dict(type='ResNet_CIFAR', depth=18), 512),
    'resnet18': (dict(type='ResNet', depth=18), 512),
    'resnet50': (dict(type='ResNet', depth=50), 2048),
}
"""Config of each backbone, and the number of channels of its features, by name."""

SIMPLE = 'simple'


@dataclass
class StepRow:
    """Cost of a training step with an augment.

    Attributes:
        images_per_second: Number of images per second in steps.
        step: Median seconds of a step, mixing included.
        mixing: Median seconds of the mixing alone; 0 without mixing.
        share: Part of the step that is mixing, ``mixing / step``, in [0, 1] but for noise.
        megabytes: Peak memory of a step beyond weights and batch; None where it is not
            measured.
    """

    images_per_second: float
    step: float
    mixing: float
    share: float
    megabytes: float | None


def build_network(name: str, num_classes: int) -> nn.Module:
    """Build a classifier of random weights.

    Args:
        name: Name in :data:`NETWORKS`.
        num_classes: Number of classes, >= 2.
    """
    backbone, channels = NETWORKS[name]
    config = dict(
        type='ImageClassifier',
        backbone=dict(backbone),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=num_classes, in_channels=channels),
        _scope_='mmpretrain',
    )
    return MODELS.build(config)


class StepBench(Bench):
    """A batch, the network in training, and a teacher like it.

    Args:
        args: Namespace of ``network``, ``image_size``, ``num_classes``, ``batch_size``, ``device``
            and ``seed``.
        config: Config of a trained classifier, which is then the teacher and the network, with its
            own images. None takes ``args.network`` with random weights and random images.
        checkpoint: Path of its weights.
    """

    def __init__(
        self,
        args: argparse.Namespace,
        config: Config | None = None,
        checkpoint: str | os.PathLike | None = None,
    ):
        self.args = args
        args.config = None if config is None else 'trained'  # SuperMix needs a trained teacher
        if config is None:
            self.network = build_network(args.network, args.num_classes)
            self.teacher = FrozenTeacher(
                model=copy.deepcopy(self.network), mean=0.0, std=1.0, channels_last=True
            )
            images = torch.randn(args.batch_size, 3, args.image_size, args.image_size)
            labels = torch.randint(args.num_classes, (args.batch_size,))
            scores = nn.functional.one_hot(labels, args.num_classes).float()
        else:
            self.teacher = FrozenTeacher(config, checkpoint, channels_last=True)
            found = load_images(config, 2, indices=range(args.batch_size), device='cpu')
            images, scores = found.inputs, found.scores
            self.network = copy.deepcopy(self.teacher.model).requires_grad_()
        memory_format = torch.channels_last
        self.inputs = images.to(args.device).contiguous(memory_format=memory_format)
        self.scores = scores.to(args.device)
        self.own = self.inputs.clone()
        self.teacher.model.to(args.device)
        self.network.to(args.device).to(memory_format=memory_format).train()
        self.optimizer = torch.optim.SGD(self.network.parameters(), 1e-4, 0.9, nesterov=True)

    def others(self) -> dict[str, Call]:
        """Return functions that mix the batch by timm and torchvision, if these are installed."""
        size, labels = self.scores.size(1), self.scores.argmax(dim=1)
        found: dict[str, Call] = {}
        if find_spec('timm'):
            from timm.data import Mixup

            even = self.own[: len(self.own) // 2 * 2]  # it takes only even batches
            for mode in ('batch', 'elem'):
                mixup = Mixup(1.0, 1.0, mode=mode, label_smoothing=0.0, num_classes=size)
                found[f"timm's Mixup and CutMix, {mode}"] = partial(
                    mixup, even, labels[: len(even)]
                )
        if find_spec('torchvision'):
            from torchvision.transforms import v2

            for name in ('MixUp', 'CutMix'):
                mixer = getattr(v2, name)(num_classes=size)
                found[f"torchvision's {name}"] = partial(mixer, self.inputs, labels)
        return found

    def augments(self) -> dict[str, Callable[[], tuple[Tensor, Tensor]] | None]:
        """Return the augments that a step is timed with, by name; None for no mixing."""
        module = dict(type='TransformMixer', cam_size=self.inputs.size(-1))
        found: dict[str, Callable[[], tuple[Tensor, Tensor]] | None] = {
            SIMPLE: None,
            'CutMix': self.mixer(type='SampleCutMix'),
            'TransformMix': self.mixer(type='TransformMix', teacher=self.teacher, mixer=module),
        }
        if self.args.config is not None:
            found[SUPERMIX] = self.mixer(type='SuperMix', teacher=self.teacher)
        return found

    def step(
        self, augment: Callable[[], tuple[Tensor, Tensor]] | None, dtype: torch.dtype
    ) -> Call:
        """Return a function that makes one training step on the batch.

        Args:
            augment: Function that mixes the batch; None mixes nothing.
            dtype: Dtype of the forward pass; float32 runs without autocast.
        """

        def call() -> None:
            self.optimizer.zero_grad(set_to_none=True)
            with autocast(self.args.device, dtype):
                inputs, scores = (self.inputs, self.scores) if augment is None else augment()
                logits = self.network(inputs, mode='tensor')
                loss = nn.functional.cross_entropy(logits.float(), scores)
            loss.backward()
            self.optimizer.step()

        return call


def autocast(device: str, dtype: torch.dtype) -> AbstractContextManager:
    """Return the context of a step in a dtype; float32 needs none.

    Args:
        device: Device of the step.
        dtype: Dtype of the forward passes.
    """
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(torch.device(device).type, dtype)


def _repeat(call: Call, count: int) -> list[object]:
    """Call a function several times in a row, and keep what it returns until the end."""
    return [call() for _ in range(count)]


def time_in_turns(
    calls: Mapping[str, Call], repeats: int, inner: int, device: str
) -> dict[str, float]:
    """Return the median seconds per call, measured in turns as rows of ``inner`` calls.

    The host runs ahead of the GPU within a row, as it does in training.

    Args:
        calls: Functions to time, by name.
        repeats: Number of rows of each function, >= 1, after one to warm up.
        inner: Number of calls per row, >= 1.
        device: Device that they run on.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            value = seconds_of(partial(_repeat, call, inner), device)
            if turn:
                seconds[name].append(value / inner)
    return {name: statistics.median(values) for name, values in seconds.items()}


def _mebibytes(number: int | None) -> float | None:
    return None if number is None else number / 2**20


def time_steps(
    bench: StepBench, dtype: torch.dtype, repeats: int, inner: int
) -> dict[str, StepRow]:
    """Time training steps without mixing and with each augment.

    Args:
        bench: Batch and networks.
        dtype: Dtype of the forward passes; float32 runs without autocast.
        repeats: Number of rows, as in :func:`time_in_turns`.
        inner: Number of steps per row, as in :func:`time_in_turns`.
    """
    device = bench.args.device
    augments = bench.augments()
    steps = {name: bench.step(augment, dtype) for name, augment in augments.items()}
    with bench.live():
        times = time_in_turns(steps, repeats, inner, device)
        with autocast(device, dtype):
            mixers = {name: call for name, call in augments.items() if call is not None}
            mixing = time_in_turns(mixers, repeats, inner, device)
        peaks = {name: _mebibytes(peak_memory(step, device)) for name, step in steps.items()}
    return {
        name: StepRow(
            images_per_second=len(bench.inputs) / seconds,
            step=seconds,
            mixing=mixing.get(name, 0.0),
            share=mixing.get(name, 0.0) / seconds,
            megabytes=peaks[name],
        )
        for name, seconds in times.items()
    }


def step_table(rows: Mapping[str, StepRow]) -> str:
    """Return the rows as a table in Markdown.

    Args:
        rows: Rows by name.
    """
    lines = ['| | images/s | step (ms) | mixing (ms) | share (%) | peak (MiB) |', '|---' * 6 + '|']
    for name, row in rows.items():
        peak = '-' if row.megabytes is None else f'{row.megabytes:.0f}'
        lines.append(
            f'| {name} | {row.images_per_second:.0f} | {1e3 * row.step:.2f} | '
            f'{1e3 * row.mixing:.2f} | {100 * row.share:.1f} | {peak} |'
        )
    return '\n'.join(lines)
