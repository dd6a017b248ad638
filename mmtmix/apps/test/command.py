"""Evaluate a checkpoint."""

from __future__ import annotations

import argparse
from contextlib import nullcontext

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import is_main_process
from mmengine.evaluator import DumpResults
from mmengine.fileio import dump
from torch.distributed.elastic.multiprocessing.errors import record

from mmtmix.checks import check_integer
from mmtmix.datasets import check_data
from mmtmix.engine.launch import (
    build_runner,
    end_launch,
    init_launcher,
    set_loader_defaults,
)
from mmtmix.engine.resuming import command_again
from mmtmix.utils import (
    atomic_path,
    check_output_file,
    check_output_folder,
    is_faster_in_half,
    load_checkpoint,
    load_config,
    load_safely,
    read_weights,
    stoppable,
    unwrap,
    work_dir_of,
)

from .options import augment_tests, draw_predictions

METRIC_SUFFIXES = ('.json', '.pkl', '.pickle', '.yaml', '.yml')  # formats that MMEngine writes


@record
def run(args: argparse.Namespace) -> dict[str, float]:
    """Evaluate a checkpoint and return the metrics.

    Args:
        args: Arguments of :mod:`mmtmix.cli.test`.

    Raises:
        FileNotFoundError: If the config, the checkpoint or the data does not exist.
        ValueError: If a config or an argument is wrong, or the checkpoint does not fit.
    """
    again = 'the same launch'
    if args.launcher == 'none':
        again = command_again('test', args.argv)
    with stoppable(lambda: f'a test saves nothing before its end; to begin again: {again}'):
        return test(args)


def test(args: argparse.Namespace) -> dict[str, float]:
    """Evaluate a checkpoint, write the results, and return the metrics.

    Args:
        args: Arguments of :mod:`mmtmix.cli.test`.
    """
    if args.out:
        suffixes = ('.pkl', '.pickle') if args.out_item == 'pred' else METRIC_SUFFIXES
        check_output_file('--out', args.out, suffixes)
    if args.show_dir is not None:
        check_output_folder('--show-dir', args.show_dir)
    check_integer('--interval', args.interval, 1)
    load_safely(args.trust_checkpoint)
    content = load_checkpoint(args.checkpoint)  # before a Runner makes its folder
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
    set_options(cfg, args)
    check_data(cfg)
    set_loader_defaults(cfg, not args.no_pin_memory)
    runner = build_runner(cfg)
    # MMEngine would only warn, and measure the accuracy of partly random weights
    model = unwrap(runner.model)
    read_weights(model.module if args.tta else model, args.checkpoint, content)
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


def set_options(cfg: Config, args: argparse.Namespace) -> None:
    """Put the pictures and the augmentation of a test into its config.

    Args:
        cfg: Config, changed in place.
        args: Arguments of :mod:`mmtmix.cli.test`.
    """
    if args.show_dir is not None:
        draw_predictions(cfg, args.show_dir, args.interval)
    if args.tta:
        augment_tests(cfg)
