"""Train a config, and first the stages that it requires, in order."""

from __future__ import annotations

import argparse
import gc
import os
from collections.abc import Sequence
from functools import partial

from mmengine.dist import get_world_size, is_main_process
from torch.distributed.elastic.multiprocessing.errors import record

from mmtmix.apps.generate import generate
from mmtmix.apps.generate.comparison import set_differences
from mmtmix.datasets import check_data
from mmtmix.datasets.mixed_shards import is_complete_set
from mmtmix.engine.claims import on_main_process
from mmtmix.engine.hooks.record_hook import RecordHook
from mmtmix.engine.launch import (
    build_runner,
    end_launch,
    init_launcher,
    set_loader_defaults,
    use_amp,
)
from mmtmix.engine.newest_checkpoint import resume_newest
from mmtmix.engine.restarts import resume_restarted
from mmtmix.engine.resuming import command_again, describe_checkpoint_of, describe_shards_of
from mmtmix.engine.run_record import RunRecord, read_record
from mmtmix.engine.stage_records import StageRecords
from mmtmix.engine.stage_runs import run_stages
from mmtmix.engine.stages import Stage, check_stages, plan_stages, required_by
from mmtmix.models.augments import load_augments
from mmtmix.utils import (
    load_config,
    load_safely,
    stoppable,
    unwrap,
    work_dir_of,
)

from .rehearsal import rehearse


def divide_batch(stage: Stage) -> None:
    """Divide the training batch of a config among the processes of the launch.

    Args:
        stage: Stage whose config is changed.

    Raises:
        ValueError: If the batch cannot be divided evenly.
    """
    loader, processes = stage.cfg.train_dataloader, get_world_size()
    if loader.batch_size % processes:
        raise ValueError(
            f'--divide-batch: {processes} processes cannot share the batch of '
            f'{loader.batch_size} of {stage.config} evenly; use another number of them'
        )
    loader.batch_size //= processes


def complete(stage: Stage, args: argparse.Namespace) -> None:
    """Put the arguments into a stage's config.

    Args:
        stage: Stage to run, whose config is changed.
        args: Arguments of :mod:`mmtmix.cli.train`.

    Raises:
        ValueError: If an argument does not fit the config.
    """
    cfg = stage.cfg
    cfg.launcher = args.launcher
    if stage.produces is not None:
        stage.goes_on = True  # read when it starts, since another launch may run it now
    else:
        cfg.work_dir = args.work_dir or work_dir_of(
            args.config, cfg, args.cfg_options, args.variant
        )
        if args.resume == 'auto':
            # without a checkpoint it starts, from ``load_from`` if that is set
            stage.goes_on = True
        elif args.resume is not None:
            cfg.resume, cfg.load_from = True, args.resume
    # a generation takes its pipeline from validation
    if args.no_validate and 'generation' not in cfg:
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


def changes_of(stage: Stage, args: argparse.Namespace) -> list[str]:
    """Return the arguments that change the result of a stage, which its record holds.

    Args:
        stage: Stage of the launch.
        args: Arguments of :mod:`mmtmix.cli.train`.
    """
    if 'generation' in stage.cfg:
        return []  # it trains nothing, and its shards do not depend on the number of processes
    given = {
        '--amp': args.amp,
        '--auto-scale-lr': args.auto_scale_lr,
        '--no-validate': args.no_validate,
    }
    changes = [name for name, is_given in given.items() if is_given]
    if get_world_size() > 1 and not args.divide_batch:
        changes.append(f'{get_world_size()} processes with a whole batch each')
    return changes


def check_sets(stages: Sequence[Stage], missing: Sequence[Stage]) -> None:
    """Refuse complete sets without a record that were generated otherwise than is required.

    ``mmtmix generate`` writes no record. The set has a description of its own.

    Args:
        stages: All stages of the launch.
        missing: Stages that still have to run.

    Raises:
        ValueError: If there is such a set, or its description is damaged.
    """
    used = {id(needed): needed for stage in missing for needed in required_by(stage, stages)}
    for stage in used.values():
        folder = stage.cfg.work_dir
        if 'generation' not in stage.cfg or not is_complete_set(folder) or read_record(folder):
            continue
        if lines := set_differences(stage.cfg, folder):
            raise ValueError(
                f'{folder} holds a set that was generated otherwise than {stage.config} '
                'requires:\n  ' + '\n  '.join(lines) + f'\nMove {folder} away, or give '
                '`produces` another folder'
            )


class Run:
    """Runs stages, and describes what is saved of the present one.

    Attributes:
        stage: Stage that runs; None before the first.
        records: Records of the stages; None before they are planned.
    """

    def __init__(self) -> None:
        self.stage: Stage | None = None
        self.records: StageRecords | None = None

    def __call__(self, stage: Stage) -> None:
        """Run one stage.

        Args:
            stage: Stage to run.
        """
        self.stage = stage
        run_stage(stage, self.records.present if self.records else None)

    def describe(self, args: argparse.Namespace) -> str:
        """Return what is saved of the present stage, and the command that continues it.

        Args:
            args: Arguments of :mod:`mmtmix.cli.train`.
        """
        if self.stage is None:
            saved = 'nothing was begun'
        elif 'generation' in self.stage.cfg:
            saved = describe_shards_of(self.stage.cfg.work_dir)
        else:
            saved = describe_checkpoint_of(self.stage.cfg.work_dir)
        again = 'the same launch with --resume'
        if args.launcher == 'none':
            again = command_again('train', args.argv, resume=True)
        return f'{saved}; to go on: {again}'


def run_stage(stage: Stage, record: RunRecord | None = None) -> None:
    """Run one stage to its end.

    Args:
        stage: Stage to run.
        record: Record of the run, which a training keeps up to date.
    """
    if 'generation' in stage.cfg:
        # the ranks share the shards, and each waits until the set is complete
        generate(stage.cfg, stage.cfg.work_dir, shows_progress=is_main_process())
        return
    if stage.goes_on:
        # a user may continue another run, which is recorded; a required one must be as required
        is_own = record.is_own if record is not None and stage.produces is not None else None
        resume_newest(stage.cfg, is_own)
    else:
        resume_restarted(stage.cfg)
    runner = build_runner(stage.cfg)
    # a missing file ends the run before it starts
    load_augments(unwrap(runner.model), runner.hooks)
    if record is not None:
        runner.register_hook(RecordHook(record))
    runner.train()
    del runner
    gc.collect()  # a Runner has reference cycles, and the next stage needs the memory


@record
def run(args: argparse.Namespace) -> None:
    """Train a config, after the stages that it requires.

    Args:
        args: Arguments of :mod:`mmtmix.cli.train`.

    Raises:
        FileNotFoundError: If a file is missing that no stage makes.
        ValueError: If a config or an argument is wrong.
    """
    runs = Run()
    with stoppable(lambda: runs.describe(args)):
        train(args, runs)


def train(args: argparse.Namespace, runs: Run) -> None:
    """Train a config, after the stages that it requires.

    Args:
        args: Arguments of :mod:`mmtmix.cli.train`.
        runs: Function that runs a stage.
    """
    load_safely(args.trust_checkpoint)
    cfg = load_config(args.config, args.cfg_options, args.variant)
    init_launcher(args.launcher, cfg)
    stages = plan_stages(args.config, cfg, args.variant)
    stages[-1].options = args.cfg_options or {}
    # digests are of the configs as they are now, before arguments are put into them
    runs.records = StageRecords(stages, lambda stage: changes_of(stage, args), args.divide_batch)
    missing = check_stages(stages)
    runs.records.check()
    on_main_process(partial(check_sets, stages, missing))
    if args.no_stages and len(missing) > 1:
        raise FileNotFoundError(
            f'{args.config} requires files that do not exist, or whose run is not finished:\n'
            + '\n'.join(f'  {stage.produces}: {stage.command}' for stage in missing[:-1])
            + '\nMake them with these commands, or leave out --no-stages'
        )
    to_come = [os.path.dirname(stage.produces) for stage in missing[:-1] if stage.produces]
    for stage in missing:
        check_data(stage.cfg, to_come)
        complete(stage, args)
    rehearse(missing)  # errors of late stages come before hours of training
    run_stages(stages, runs, runs.records)
    end_launch()
