"""Measure what mixing costs in training: images per second of whole steps, and each augment.

A step is mixing, forward, backward and SGD on a batch on the device, so no loader is timed. The
network has random weights and is its own teacher. With --config, teacher, network and images are
those of a trained classifier, and SuperMix is timed as well. Augments of timm and torchvision are
timed on the same batch if these are installed.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.registry import DefaultScope
from mmengine.utils import digit_version

import mmtmix
from mmtmix.apps.benchmark import BLEND, FORWARD, Units, measure_row, table
from mmtmix.apps.benchmark.training import (
    NETWORKS,
    StepBench,
    autocast,
    step_table,
    time_in_turns,
    time_steps,
)
from mmtmix.checks import check_integer
from mmtmix.cli.arguments import add_config, complete
from mmtmix.cli.parser import CommandParser
from mmtmix.utils import (
    DTYPES,
    atomic_path,
    check_device,
    check_output_file,
    keep_freed_memory,
    load_config,
    load_safely,
    run_command,
    work_dir_of,
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('--network', choices=NETWORKS, default='wrn16_1', help='without --config')
    parser.add_argument('--image-size', type=int, default=32, help='edge, without --config')
    parser.add_argument('--num-classes', type=int, default=100, help='number, without --config')
    add_config(parser, 'a trained classifier', '--config')
    parser.add_argument('--checkpoint', help='its weights (default: last.pth of its work dir)')
    parser.add_argument('--batch-size', type=int, default=128)
    parser.add_argument(
        '--dtype', choices=DTYPES, default='float32', help='dtype of forward passes'
    )
    parser.add_argument('--repeats', type=int, default=5, help='number of timed rows of steps')
    parser.add_argument('--inner', type=int, default=5, help='number of steps per row')
    parser.add_argument('--no-mixers', action='store_true', help='time whole steps alone')
    parser.add_argument('--tf32', action='store_true', help='let CUDA round float32 products')
    parser.add_argument('--seed', type=int, default=0, help='seed of images, weights and pairs')
    parser.add_argument('--json', help='also write the figures to this file')
    parser.add_argument('--device', default=get_device())
    args = parser.parse_args(argv)
    complete(args)
    return args


def check_args(args: argparse.Namespace) -> None:
    """Refuse arguments that would fail only after the measurement.

    Args:
        args: Arguments of this tool.

    Raises:
        OSError: If ``--json`` cannot be written.
        ValueError: If a number is out of its range, or this machine lacks the device.
    """
    least = dict(image_size=18, num_classes=2, batch_size=2, repeats=1, inner=1)
    for name, number in least.items():
        check_integer(f'--{name.replace("_", "-")}', getattr(args, name), number)
    check_device('--device', args.device)
    if args.json:
        check_output_file('--json', args.json)


def make_bench(args: argparse.Namespace) -> StepBench:
    """Build the networks and the batch.

    Args:
        args: Arguments of this tool.
    """
    if args.config is None:
        return StepBench(args)
    cfg = load_config(args.config, args.cfg_options, args.variant)
    folder = work_dir_of(args.config, cfg, args.cfg_options, args.variant)
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmpretrain'):
        return StepBench(args, cfg, args.checkpoint or f'{folder}/last.pth')


def time_mixers(bench: StepBench, args: argparse.Namespace) -> dict[str, Any]:
    """Time each augment alone, as tools/benchmark_mixers.py does.

    Args:
        bench: Networks and batch.
        args: Arguments of this tool.
    """
    with bench.live(), autocast(args.device, DTYPES[args.dtype]):
        calls = {**bench.timed_mixers(), **bench.others()}
        medians = time_in_turns(calls, args.repeats, 1, args.device)
        units = Units(medians[BLEND], medians[FORWARD])
        return {
            name: measure_row(call, units, args.device, medians[name])
            for name, call in calls.items()
        }


def main(argv: list[str] | None = None) -> dict[str, Any]:
    """Print the tables, and return the figures in the form of ``--json``."""
    args = parse_args(argv)
    load_safely(args.trust_checkpoint)
    check_args(args)
    keep_freed_memory(args.device)
    torch.manual_seed(args.seed)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.tf32
    torch.backends.cudnn.benchmark = True
    device = torch.device(args.device)
    is_cuda = device.type == 'cuda'
    content: dict[str, Any] = dict(
        network=args.config or args.network,
        device=torch.cuda.get_device_name(device) if is_cuda else args.device,
        dtype=args.dtype,
        tf32=args.tf32,
        batch_size=args.batch_size,
        threads=torch.get_num_threads(),
        torch='.'.join(map(str, digit_version(torch.__version__)[:3])),
        mmtmix=mmtmix.__version__,
        seed=args.seed,
    )
    bench = make_bench(args)
    content['image_shape'] = list(bench.inputs.shape[1:])
    print(', '.join(f'{name} {value}' for name, value in content.items()))
    steps = time_steps(bench, DTYPES[args.dtype], args.repeats, args.inner)
    print(step_table(steps))
    content['steps'] = {name: asdict(row) for name, row in steps.items()}
    if not args.no_mixers:
        mixers = time_mixers(bench, args)
        print(table(mixers))
        content['mixers'] = {name: asdict(row) for name, row in mixers.items()}
    if args.json:
        with atomic_path(args.json) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + '\n')
    return content


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
