"""Train a config, and first whatever it requires, in order.

That may be classifiers, searches and sets of mixed images; a config with ``generation`` stands for
the set that it describes.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys

from mmengine.config import DictAction
from mmengine.dist import get_rank, get_world_size
from torch.distributed.elastic.multiprocessing.errors import record

from mmtmix.apps.generate import generate
from mmtmix.apps.train.rehearsal import rehearse
from mmtmix.datasets import check_data
from mmtmix.engine.claims import wait_for_ranks
from mmtmix.engine.launch import (
    build_runner,
    end_launch,
    init_launcher,
    set_loader_defaults,
    use_amp,
)
from mmtmix.engine.newest_checkpoint import resume_newest
from mmtmix.engine.resuming import command_again, describe_checkpoint_of, describe_shards_of
from mmtmix.engine.stages import Stage, check_stages, plan_stages, run_stages
from mmtmix.models.augments import load_augments
from mmtmix.utils import (
    CommandParser,
    add_trust_argument,
    add_variant_argument,
    load_config,
    load_safely,
    run_command,
    stoppable,
    unwrap,
    work_dir_of,
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """MMPretrain's arguments, and ``--no-stages``."""
    parser = CommandParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('--work-dir', help='where logs and checkpoints go')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='resume from the given checkpoint, or without one from the latest in the work dir; '
        'missing stages always resume from their own work dirs',
    )
    parser.add_argument(
        '--amp', action='store_true', help='train in mixed precision, if that is faster here'
    )
    parser.add_argument('--no-validate', action='store_true', help="don't evaluate in training")
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help='scale the lr by the actual batch size'
    )
    parser.add_argument(
        '--divide-batch',
        action='store_true',
        help='take batch sizes of configs, also of required stages, for those of all processes '
        'together',
    )
    parser.add_argument('--no-pin-memory', action='store_true')
    parser.add_argument('--no-persistent-workers', action='store_true')
    parser.add_argument(
        '--no-stages',
        action='store_true',
        help='refuse to start, rather than make first what the config requires and is missing',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='overrides such as optim_wrapper.optimizer.lr=0.01; they go to CONFIG alone, not to '
        'the stages that it requires',
    )
    add_variant_argument(parser)
    add_trust_argument(parser)
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args(argv)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def divide_batch(stage: Stage) -> None:
    """Share the training batch of a config among the processes of the launch.

    Raises:
        ValueError: If it can't be shared evenly.
    """
    loader, processes = stage.cfg.train_dataloader, get_world_size()
    if loader.batch_size % processes:
        raise ValueError(
            f'--divide-batch: {processes} processes cannot share the batch of '
            f'{loader.batch_size} of {stage.config} evenly; use another number of them'
        )
    loader.batch_size //= processes


def complete(stage: Stage, args: argparse.Namespace) -> None:
    """Put the arguments into a stage's config."""
    cfg = stage.cfg
    cfg.launcher = args.launcher
    if stage.produces is not None:
        stage.goes_on = True  # seen when it starts: another launch may be at it now
    else:
        cfg.work_dir = args.work_dir or work_dir_of(
            args.config, cfg, args.cfg_options, args.variant
        )
        if args.resume == 'auto':
            stage.goes_on = True  # without a checkpoint it begins, from what it may load
        elif args.resume is not None:
            cfg.resume, cfg.load_from = True, args.resume
    if args.no_validate and 'generation' not in cfg:  # whose pipeline is that of validation
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        use_amp(cfg)
    if args.divide_batch and 'generation' not in cfg:
        divide_batch(stage)
    if args.auto_scale_lr:
        if 'auto_scale_lr' not in cfg:
            raise ValueError(
                f'--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in {stage.config}'
            )
        cfg.auto_scale_lr.enable = True
    set_loader_defaults(cfg, not args.no_pin_memory, not args.no_persistent_workers)


class Run:
    """Runs stages to their end, one after the other.

    Attributes:
        stage: The one under way; None before the first.
    """

    def __init__(self) -> None:
        self.stage: Stage | None = None

    def __call__(self, stage: Stage) -> None:
        """Run one stage."""
        self.stage = stage
        run(stage)

    def describe(self, args: argparse.Namespace, argv: list[str]) -> str:
        """Return what is saved of the stage under way, and how to go on."""
        if self.stage is None:
            saved = 'nothing was begun'
        elif 'generation' in self.stage.cfg:
            saved = describe_shards_of(self.stage.cfg.work_dir)
        else:
            saved = describe_checkpoint_of(self.stage.cfg.work_dir)
        again = 'the same launch with --resume'
        if args.launcher == 'none':
            again = command_again(__file__, argv, resume=True)
        return f'{saved}; to go on: {again}'


def run(stage: Stage) -> None:
    """Run one stage to its end."""
    if 'generation' in stage.cfg:
        place = get_rank(), get_world_size()
        generate(stage.cfg, stage.cfg.work_dir, *place, wait_for_ranks=wait_for_ranks)
        return
    if stage.goes_on:
        resume_newest(stage.cfg)
    runner = build_runner(stage.cfg)
    load_augments(unwrap(runner.model), runner.hooks)  # a missing file ends the run right here
    runner.train()
    del runner
    gc.collect()  # a Runner is full of cycles, and the next stage wants the memory


@record
def main(argv: list[str] | None = None) -> None:
    """Train."""
    argv = sys.argv[1:] if argv is None else argv
    args, runs = parse_args(argv), Run()
    with stoppable(lambda: runs.describe(args, argv)):
        train(args, runs)


def train(args: argparse.Namespace, runs: Run) -> None:
    """Train a config, after the stages that it requires."""
    load_safely(args.trust_checkpoint)
    cfg = load_config(args.config, args.cfg_options, args.variant)
    init_launcher(args.launcher, cfg)
    stages = plan_stages(args.config, cfg, args.variant)
    missing = check_stages(stages)
    if args.no_stages and len(missing) > 1:
        raise FileNotFoundError(
            f'{args.config} requires files that do not exist:\n'
            + '\n'.join(f'  {stage.produces}: {stage.command}' for stage in missing[:-1])
            + '\nMake them with these commands, or leave out --no-stages'
        )
    to_come = [os.path.dirname(stage.produces) for stage in missing[:-1]]
    for stage in missing:
        check_data(stage.cfg, to_come)
        complete(stage, args)
    rehearse(missing)  # before hours of training on what is there already
    run_stages(stages, runs)
    end_launch()


if __name__ == '__main__':
    sys.exit(run_command(main, __file__))
