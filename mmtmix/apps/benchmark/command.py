"""Measure what mixing costs, beside the goals of this library's speed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.device import get_device

from mmtmix.checks import check_integer
from mmtmix.utils import (
    atomic_path,
    check_device,
    check_output_file,
    fast_precision,
    load_safely,
)

from .measure import Measurement
from .page import draw_pictures, fill_page
from .presets import PRESETS
from .report import Report
from .setting import describe_machine
from .tables import goals_table, profile_table, section_table, setting_line, sweep_table
from .topics import SHORT, TOPICS
from .verdicts import judge_all

NOT_DEFAULT = ('masks', 'rivals')
"""Topics that run only where they are named."""
_SHORT_REPEATS = 3


def complete_args(args: argparse.Namespace) -> None:
    """Fill the arguments that depend on others, in place.

    Args:
        args: Arguments of :mod:`mmtmix.cli.benchmark`.
    """
    args.device = args.device or get_device()
    if args.preset:
        preset = PRESETS[args.preset]
        args.topics = args.topics or list(preset.topics)
        for name, value in preset.setting.items():
            if getattr(args, name) is None:
                setattr(args, name, value)
    if args.short:
        args.topics = args.topics or list(SHORT)
        args.repeats = args.repeats or _SHORT_REPEATS
    if args.topics is None:
        args.topics = [] if args.sweep or args.profile or args.no_measure else ['default']
    sets = dict(all=list(TOPICS), default=[name for name in TOPICS if name not in NOT_DEFAULT])
    named = [name for topic in args.topics for name in sets.get(topic, [topic])]
    args.topics = list(dict.fromkeys(named))


def check_args(args: argparse.Namespace) -> None:
    """Refuse arguments that would fail only after the measurement.

    Args:
        args: Arguments of :mod:`mmtmix.cli.benchmark`, completed.

    Raises:
        FileNotFoundError: If ``--page`` does not exist.
        OSError: If ``--json`` or ``--page`` cannot be written.
        ValueError: If a number is out of its range, or this machine lacks the device.
    """
    least = dict(image_size=18, num_classes=2, batch_size=4, repeats=1, rival_iters=0, threads=1)
    for name, number in least.items():
        if getattr(args, name) is not None:
            check_integer(f'--{name.replace("_", "-")}', getattr(args, name), number)
    check_device('--device', args.device)
    if args.json:
        check_output_file('--json', args.json, ('.json',))
    if args.page:
        if not Path(args.page).is_file():
            raise FileNotFoundError(
                f'--page: {args.page!r} does not exist; give a page with blocks '
                '<!-- costs: FILE KIND --> such as docs/costs.md'
            )
        check_output_file('--page', args.page)
    elif args.no_measure:
        raise ValueError('--no-measure fills a page from files; name it with --page')


@contextmanager
def machine_settings(args: argparse.Namespace) -> Iterator[None]:
    """Set the number of threads and the rounding of products, and restore them afterwards.

    Args:
        args: Arguments of :mod:`mmtmix.cli.benchmark`, completed.
    """
    cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = torch.get_num_threads(), cuda.allow_tf32, cudnn.allow_tf32, cudnn.benchmark
    torch.set_num_threads(args.threads)
    cuda.allow_tf32 = cudnn.allow_tf32 = args.tf32
    cudnn.benchmark = True
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cuda.allow_tf32, cudnn.allow_tf32, cudnn.benchmark = before[1:]


def benchmark(args: argparse.Namespace) -> Report:
    """Measure and print the tables; the file of ``--json`` is renewed after each.

    Tables of other topics stay in that file if it is of the same machine and versions.

    Args:
        args: Arguments of :mod:`mmtmix.cli.benchmark`, completed and checked.
    """
    measurement = Measurement(args)
    report = Report(describe_machine(args.device, args.dtype, args.seed))
    if args.json and Path(args.json).is_file():
        earlier = Report.load(args.json)
        if earlier.machine == report.machine:
            report = earlier
    print(setting_line(report.machine), flush=True)

    def keep(title: str, text: str) -> None:
        print(f'\n## {title}\n\n{text}', flush=True)
        if args.json:
            report.save(args.json)

    for name in args.topics:
        section = report.sections[name] = measurement.topic(name)
        keep(name, f'{setting_line({}, section.setting)}\n\n{section_table(section)}')
    for axis in args.sweep or ():
        section = report.sections[f'sweep_{axis}'] = measurement.sweep(axis)
        keep(f'cost against {axis}', sweep_table(section))
    if args.profile:
        for name, operators in measurement.profiles():
            report.profiles[name] = operators
            keep(f'profile of {name}', profile_table(operators))
    return report


def run(args: argparse.Namespace) -> int:
    """Measure, print, write what was asked for, and return the exit status.

    Args:
        args: Arguments of :mod:`mmtmix.cli.benchmark`.

    Returns:
        1 if the short form found a figure beyond its goal's wide margin, else 0.

    Raises:
        FileNotFoundError: If a config, its weights, the page or its figures do not exist.
        OSError: If a file cannot be written.
        ValueError: If a number is out of its range, or this machine lacks the device.
    """
    complete_args(args)
    load_safely(args.trust_checkpoint)
    check_args(args)
    precision = fast_precision(torch.device(args.device).type)
    if args.dtype == 'bfloat16' and precision.dtype == torch.float32:
        print(f'--dtype bfloat16: {precision.reason}, so float32 is faster here')
    beyond = []
    if not args.no_measure:
        with machine_settings(args):
            report = benchmark(args)
        verdicts = judge_all(report)
        ran = [found for found in verdicts if found.goal.topic in report.sections]
        if ran:
            print(f'\n## goals\n\n{goals_table(ran)}')
        beyond = [found for found in ran if args.short and found.is_beyond_margin]
    if args.page:
        write_page(Path(args.page))
    for found in beyond:
        goal = found.goal
        print(
            f'{goal.name}: {found.figure:.3g} is beyond {goal.margin:g} times the bound of '
            f'{goal.bound:g}'
        )
    if args.short and not beyond:
        print('no ratio is beyond the wide margin that --short allows')
    return int(bool(beyond))


def write_page(page: Path) -> None:
    """Fill the blocks of a page, and draw its pictures.

    Args:
        page: Path of the page.

    Raises:
        FileNotFoundError: If a file of figures does not exist.
        ValueError: If a block of the page is wrong.
    """
    text = fill_page(page.read_text(encoding='utf-8'), page.parent)
    draw_pictures(text, page.parent)
    with atomic_path(page) as temporary:
        temporary.write_text(text, encoding='utf-8')
