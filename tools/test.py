"""Evaluate a checkpoint."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import nullcontext

from mmengine.config import DictAction
from mmengine.device import get_device
from mmengine.dist import is_main_process
from mmengine.evaluator import DumpResults
from mmengine.fileio import dump
from torch.distributed.elastic.multiprocessing.errors import record

from mmtmix.datasets import check_data
from mmtmix.engine.launch import (
    build_runner,
    end_launch,
    init_launcher,
    set_loader_defaults,
)
from mmtmix.engine.resuming import command_again
from mmtmix.utils import (
    CommandParser,
    add_trust_argument,
    add_variant_argument,
    atomic_path,
    check_output_file,
    is_faster_in_half,
    load_checkpoint,
    load_config,
    load_safely,
    read_weights,
    run_command,
    stoppable,
    unwrap,
    work_dir_of,
)

METRIC_SUFFIXES = ('.json', '.pkl', '.pickle', '.yaml', '.yml')  # those that MMEngine writes


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Those of MMPretrain's arguments that neither draw nor augment."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('--work-dir', help='where logs go')
    parser.add_argument('--out', help='file for the results (.json or .pkl)')
    parser.add_argument(
        '--out-item',
        choices=['metrics', 'pred'],
        default='metrics',
        help='what to write: the metrics, or all predictions (.pkl only)',
    )
    parser.add_argument(
        '--amp', action='store_true', help='test in mixed precision, if that is faster here'
    )
    parser.add_argument('--no-pin-memory', action='store_true')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, help='overrides')
    add_variant_argument(parser)
    add_trust_argument(parser)
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args(argv)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


@record
def main(argv: list[str] | None = None) -> dict:
    """Evaluate; returns the metrics."""
    argv = sys.argv[1:] if argv is None else argv
    args = parse_args(argv)
    again = 'the same launch' if args.launcher != 'none' else command_again(__file__, argv)
    with stoppable(lambda: f'a test saves nothing on its way; to begin again: {again}'):
        return test(args)


def test(args: argparse.Namespace) -> dict:
    """Evaluate a checkpoint; returns the metrics."""
    if args.out:
        suffixes = ('.pkl', '.pickle') if args.out_item == 'pred' else METRIC_SUFFIXES
        check_output_file('--out', args.out, suffixes)
    load_safely(args.trust_checkpoint)
    content = load_checkpoint(args.checkpoint)  # before a Runner begins its folder
    cfg = load_config(args.config, args.cfg_options, args.variant)
    init_launcher(args.launcher, cfg)
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or work_dir_of(args.config, cfg, args.cfg_options, args.variant)
    cfg.load_from = args.checkpoint
    cfg.train_dataloader = cfg.train_cfg = cfg.optim_wrapper = cfg.param_scheduler = None
    if cfg.model.get('train_cfg'):
        cfg.model.train_cfg = None  # a test mixes nothing and needs no teacher
    if args.amp:
        cfg.test_cfg.fp16 = is_faster_in_half(get_device())
    check_data(cfg)
    set_loader_defaults(cfg, not args.no_pin_memory)
    runner = build_runner(cfg)
    # MMEngine would only warn, and report the accuracy of partly random weights
    read_weights(unwrap(runner.model), args.checkpoint, content)
    del content
    is_wanted = args.out and args.out_item == 'pred'
    # the main process alone writes the predictions
    with atomic_path(args.out) if is_wanted and is_main_process() else nullcontext() as file:
        if is_wanted:
            runner.test_evaluator.metrics.append(DumpResults(out_file_path=str(file or args.out)))
        metrics = runner.test()
    if args.out and args.out_item == 'metrics' and is_main_process():
        with atomic_path(args.out) as temporary:
            dump(metrics, temporary)
    end_launch()
    return metrics


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
