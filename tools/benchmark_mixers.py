"""What mixing a batch costs: every mixer on the same batch in one run, as ratios.

The unit is one forward pass of the teacher on the same batch, without gradients; the time of a
plain out-of-place blend of the batch stands beside it. Each time is the median of interleaved
repeats, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from mmengine.device import get_device
from mmengine.utils import digit_version
from mmpretrain.registry import BATCH_AUGMENTS, MODELS
from torch import Tensor

import mmtmix
from mmtmix.functional import blend
from mmtmix.models import FrozenTeacher

TEACHERS = {
    'wrn16_1': dict(depth=16, widen_factor=1),
    'wrn40_2': dict(depth=40, widen_factor=2),
    'wrn28_10': dict(depth=28, widen_factor=10, layout='puzzle'),
}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--teacher', choices=TEACHERS, default='wrn40_2')
    parser.add_argument('--batch-size', type=int, default=128)
    parser.add_argument('--image-size', type=int, default=32)
    parser.add_argument('--num-classes', type=int, default=100)
    parser.add_argument('--repeats', type=int, default=20)
    parser.add_argument('--bfloat16', action='store_true', help='run under bfloat16 autocast')
    parser.add_argument('--compile', action='store_true', help='compile the teacher')
    parser.add_argument('--device', default=get_device())
    return parser.parse_args(argv)


def make_teacher(args: argparse.Namespace) -> FrozenTeacher:
    """A teacher with random weights: what it costs doesn't depend on them."""
    settings = TEACHERS[args.teacher]
    config = dict(
        model=dict(
            type='ImageClassifier',
            backbone=dict(type='WideResNet', **settings),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(
                type='LinearClsHead',
                num_classes=args.num_classes,
                in_channels=64 * settings['widen_factor'],
            ),
        ),
        data_preprocessor=dict(mean=[0.0] * 3, std=[1.0] * 3),
    )
    model = MODELS.build(dict(config['model'], _scope_='mmpretrain'))
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder, 'teacher.pth')
        torch.save(model.state_dict(), checkpoint)
        return FrozenTeacher(config, checkpoint, compile=args.compile)


def subjects(args: argparse.Namespace) -> dict[str, Callable[[], object]]:
    """What is timed, each on the same batch."""
    inputs = torch.randn(args.batch_size, 3, args.image_size, args.image_size).to(args.device)
    labels = torch.randint(args.num_classes, (args.batch_size,))
    scores = torch.nn.functional.one_hot(labels, args.num_classes).float().to(args.device)
    teacher = make_teacher(args)
    weights = torch.full((args.batch_size, 2, 1, 1, 1), 0.5, device=args.device)
    order = torch.randperm(args.batch_size, device=args.device)

    def pairs() -> Tensor:
        return torch.stack([inputs, inputs[order]], dim=1)

    def mixer(**config: object) -> Callable[[], object]:
        augment = BATCH_AUGMENTS.build(config)
        own = inputs.clone()  # MMPretrain's CutMix writes into its batch
        return lambda: augment(own, scores)

    module = dict(type='TransformMixer', cam_size=args.image_size)
    return {
        'teacher forward': torch.no_grad()(lambda: teacher(inputs)),
        'plain blend': lambda: blend(pairs(), weights),
        "MMPretrain's Mixup": mixer(type='Mixup', alpha=1.0),
        "MMPretrain's CutMix": mixer(type='CutMix', alpha=1.0),
        'TransformMix': mixer(type='TransformMix', teacher=teacher, mixer=module),
        'TransformMix k=3': mixer(
            type='TransformMix', teacher=teacher, mixer=dict(module, num_mix=3), num_mix=3
        ),
    }


def measure(timed: dict[str, Callable[[], object]], repeats: int, device: str) -> dict[str, float]:
    """Median seconds of each, interleaved."""
    accelerator = torch.device(device).type
    synchronize = getattr(torch, accelerator).synchronize
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for turn in range(repeats + 2):
        for name, call in timed.items():
            synchronize()
            start = time.perf_counter()
            call()
            synchronize()
            if turn >= 2:  # the first two warm up
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Print the table; returns the medians in seconds."""
    args = parse_args(argv)
    torch.manual_seed(0)
    timed = subjects(args)
    with torch.autocast(args.device, torch.bfloat16, enabled=args.bfloat16):
        medians = measure(timed, args.repeats, args.device)
    print(
        f'batch {args.batch_size} x 3 x {args.image_size} x {args.image_size}, teacher '
        f'{args.teacher}, {"bfloat16" if args.bfloat16 else "float32"}, {args.device} with '
        f'{torch.get_num_threads()} threads, torch {digit_version(torch.__version__)[:3]}, '
        f'mmtmix {mmtmix.__version__}'
    )
    print('| | ms | x teacher forward | x plain blend |\n|---|---|---|---|')
    for name, value in medians.items():
        unit, plain = medians['teacher forward'], medians['plain blend']
        print(f'| {name} | {1e3 * value:.1f} | {value / unit:.2f} | {value / plain:.2f} |')
    return medians


if __name__ == '__main__':
    main()
