"""Measure what mixing a batch costs: every augment on the same batch in one run, as ratios."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

import torch
from mmengine.device import get_device
from mmengine.utils import digit_version

import mmtmix
from mmtmix.apps.benchmark import (
    BLEND,
    FORWARD,
    SUPERMIX,
    Bench,
    Row,
    Units,
    measure_row,
    table,
)
from mmtmix.checks import check_integer
from mmtmix.utils import (
    atomic_path,
    check_device,
    check_output_file,
    fast_precision,
    is_faster_in_half,
    load_safely,
    median_seconds,
)

RIVALS = {'SuperMix without smooth projection': 'newton_tv', 'SuperMix by SGD': 'sgd'}


def check_args(args: argparse.Namespace) -> None:
    """Refuse arguments that would fail only after the measurement.

    Args:
        args: Arguments of :mod:`mmtmix.cli.benchmark`.

    Raises:
        OSError: If ``--out`` cannot be written.
        ValueError: If a number is out of its range, or this machine lacks the device.
    """
    for name, least in (('image_size', 1), ('num_classes', 2), ('batch_size', 1), ('repeats', 1)):
        check_integer(f'--{name.replace("_", "-")}', getattr(args, name), least)
    check_integer('--rival-iters', args.rival_iters, 0)
    check_device('--device', args.device)
    if args.out:
        check_output_file('--out', args.out)


def benchmark(args: argparse.Namespace) -> dict[str, Row]:
    """Measure every augment, and SuperMix beside its rivals where it is timed.

    Args:
        args: Arguments of :mod:`mmtmix.cli.benchmark`, checked.

    Returns:
        Rows of the table by name.
    """
    bench = Bench(args)
    autocast = torch.autocast(args.device, torch.bfloat16, enabled=args.bfloat16)
    with bench.live(), autocast:
        calls = bench.timed_mixers()
        medians = median_seconds(calls, args.repeats, args.device)
        units = Units(medians[BLEND], medians[FORWARD])
        rows = {
            name: measure_row(call, units, args.device, medians[name])
            for name, call in calls.items()
        }
        aim = rows[SUPERMIX].finished if SUPERMIX in rows and args.rival_iters else None
        if aim is None:
            return rows
        for name, method in RIVALS.items():
            rows[name] = measure_row(bench.until(aim, method), units, args.device)
            share = rows[name].finished or 0.0
            for solver, chosen in ((name, method), (SUPERMIX, 'newton')):
                label = f'{solver}, until {100 * share:.1f} %'
                rows[label] = measure_row(bench.until(share, chosen), units, args.device)
    return rows


def run(args: argparse.Namespace) -> dict[str, Row]:
    """Measure, print the table and return its rows.

    Args:
        args: Arguments of :mod:`mmtmix.cli.benchmark`.

    Raises:
        OSError: If ``--out`` cannot be written.
        ValueError: If a number is out of its range, or this machine lacks the device.
    """
    args.device = args.device or get_device()
    load_safely(args.trust_checkpoint)
    check_args(args)
    torch.manual_seed(args.seed)
    if args.bfloat16 and not is_faster_in_half(args.device):
        reason = fast_precision(torch.device(args.device).type).reason
        print(f'--bfloat16: {reason}, so float32 is faster here')
    rows = benchmark(args)
    setting = dict(
        teacher=args.config or args.teacher,
        batch_size=args.batch_size,
        precision='bfloat16' if args.bfloat16 else 'float32',
        device=args.device,
        threads=torch.get_num_threads(),
        torch='.'.join(map(str, digit_version(torch.__version__)[:3])),
        mmtmix=mmtmix.__version__,
        seed=args.seed,
    )
    print(', '.join(f'{name} {value}' for name, value in setting.items()))
    print(table(rows))
    if args.out:
        with atomic_path(args.out) as temporary:
            content = dict(setting, rows={name: asdict(found) for name, found in rows.items()})
            temporary.write_text(json.dumps(content, indent=1) + '\n')
    return rows
