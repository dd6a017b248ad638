"""What mixing a batch costs: every mixer on the same batch in one run, as ratios.

The units are one plain blend of the batch out of place, and one forward pass of the teacher on it
without gradients. Each time is the median of interleaved repeats, so that a busy machine slows all
of them alike. With --config the teacher is a trained classifier and the batch real images, and
SuperMix is timed as well: how long it takes depends on both. Its two rivals try to finish as many
samples as SuperMix did, in up to --rival-iters steps. Then they and SuperMix are timed until they
have finished the share that the rival came to, giving nothing up. Each of these runs is done once.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

import torch
from mmengine.config import DictAction
from mmengine.device import get_device
from mmengine.utils import digit_version

import mmtmix
from mmtmix.apps.benchmark import (
    BLEND,
    FORWARD,
    SUPERMIX,
    TEACHERS,
    Bench,
    Row,
    Units,
    measure_row,
    table,
)
from mmtmix.checks import check_integer
from mmtmix.utils import (
    CommandParser,
    add_trust_argument,
    add_variant_argument,
    atomic_path,
    check_device,
    check_output_file,
    fast_precision,
    is_faster_in_half,
    load_safely,
    median_seconds,
    run_command,
)

RIVALS = {'SuperMix without smooth projection': 'newton_tv', 'SuperMix by SGD': 'sgd'}


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Arguments."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('--config', help='a trained classifier: the teacher, and real images')
    parser.add_argument(
        '--checkpoint', help="its weights (default: last.pth of the config's work dir)"
    )
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='overrides of it')
    parser.add_argument(
        '--teacher',
        choices=TEACHERS,
        default='wrn40_2',
        help='without --config: of random weights',
    )
    parser.add_argument('--image-size', type=int, default=32, help='without --config')
    parser.add_argument('--num-classes', type=int, default=100, help='without --config')
    parser.add_argument('--batch-size', type=int, default=128)
    parser.add_argument('--repeats', type=int, default=20)
    parser.add_argument('--rival-iters', type=int, default=200, help='0 leaves the rivals out')
    parser.add_argument(
        '--bfloat16',
        action='store_true',
        help='run under bfloat16 autocast; see the line printed where this CPU emulates it',
    )
    parser.add_argument('--compile', action='store_true', help='compile the teacher')
    parser.add_argument('--seed', type=int, default=0, help='of images, weights and pairs')
    parser.add_argument('--json', help='also write the figures to this file')
    parser.add_argument('--device', default=get_device())
    add_variant_argument(parser)
    add_trust_argument(parser)
    return parser.parse_args(argv)


def check_args(args: argparse.Namespace) -> None:
    """Refuse what would fail only once everything is measured.

    Raises:
        OSError: If ``--json`` cannot be written.
        ValueError: If a number is out of its range, or this machine lacks the device.
    """
    for name, least in (('image_size', 1), ('num_classes', 2), ('batch_size', 1), ('repeats', 1)):
        check_integer(f'--{name.replace("_", "-")}', getattr(args, name), least)
    check_integer('--rival-iters', args.rival_iters, 0)
    check_device('--device', args.device)
    if args.json:
        check_output_file('--json', args.json)


def benchmark(args: argparse.Namespace) -> dict[str, Row]:
    """Measure everything."""
    bench = Bench(args)
    autocast = torch.autocast(args.device, torch.bfloat16, enabled=args.bfloat16)
    with bench.live(), autocast:
        calls = bench.subjects()
        medians = median_seconds(calls, args.repeats, args.device)
        units = Units(medians[BLEND], medians[FORWARD])
        rows = {
            name: measure_row(call, units, args.device, medians[name])
            for name, call in calls.items()
        }
        if SUPERMIX not in rows or not args.rival_iters:
            return rows
        for name, method in RIVALS.items():
            aim = measure_row(bench.until(rows[SUPERMIX].finished, method), units, args.device)
            share = aim.finished
            rows[name] = aim
            for solver, chosen in ((name, method), (SUPERMIX, 'newton')):
                label = f'{solver}, until {100 * share:.1f} %'
                rows[label] = measure_row(bench.until(share, chosen), units, args.device)
    return rows


def main(argv: list[str] | None = None) -> dict[str, Row]:
    """Print the table; returns its rows."""
    args = parse_args(argv)
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
    if args.json:
        with atomic_path(args.json) as temporary:
            content = dict(setting, rows={name: asdict(found) for name, found in rows.items()})
            temporary.write_text(json.dumps(content, indent=1) + '\n')
    return rows


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
