"""Rehearse all runs of a launch."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy

from mmengine.registry import DefaultScope
from mmpretrain.registry import BATCH_AUGMENTS
from torch import nn

from mmtmix.apps.generate.generate import read_settings
from mmtmix.engine.hooks import keep_checkpoints
from mmtmix.engine.stages import Stage
from mmtmix.engine.wrapping import prepare_strategy
from mmtmix.models.augments import augment_config
from mmtmix.models.search import MixerSearch
from mmtmix.models.teachers import check_teacher

from .classes import check_head, check_teachers
from .data import LOADERS, rehearse_loader, rehearse_pipeline
from .handover import check_files, check_mixers, check_product, check_work_dirs
from .model import rehearse_model
from .parts import (
    check_no_nan,
    rehearse_groups,
    rehearse_hooks,
    rehearse_loops,
    rehearse_optimizer,
    rehearse_reporting,
)
from .problems import Problem, Problems, raise_problems
from .stand_ins import RehearsalRunner, leaving_no_trace


def rehearse(stages: Sequence[Stage]) -> None:
    """Build everything of every run once, and check that each makes the files that others need.

    No data and no weights are read, nothing is written, and random states stay as they are. Faults
    that depend on data, on weights or on other libraries' code are not found here.

    Args:
        stages: Runs of a launch, in order, with their work dirs.

    Raises:
        FileNotFoundError: If all problems are missing files.
        TypeError: If all problems are unknown or missing arguments, or arguments of a wrong type.
        ValueError: If there are other problems, or several kinds. The message has a line for each:
            the config, the field and the error.
    """
    found: list[Problem] = []
    to_come: list[str] = []
    searches: dict[str, tuple[str, MixerSearch]] = {}
    with leaving_no_trace():
        for stage in stages:
            problems = Problems(stage.config)
            model = _rehearse_stage(stage, to_come, searches, problems)
            if stage.produces is not None:
                to_come.append(stage.produces)
                if isinstance(model, MixerSearch):
                    searches[os.path.abspath(stage.produces)] = (stage.config, model)
            found += problems.found
        found += [Problem(config, 'work_dir', error) for config, error in check_work_dirs(stages)]
    raise_problems(found)


def _rehearse_stage(
    stage: Stage,
    to_come: Collection[str],
    searches: Mapping[str, tuple[str, MixerSearch]],
    problems: Problems,
) -> nn.Module | None:
    """Rehearse one run, and return its model if it has one that can be built."""
    cfg = deepcopy(stage.cfg)
    if 'generation' not in cfg and isinstance(cfg.get('default_hooks', {}), Mapping):
        keep_checkpoints(cfg.setdefault('default_hooks', {}))  # as in the run
    runner, model = RehearsalRunner(cfg), None
    scope = cfg.get('default_scope', 'mmengine')  # as a Runner has it
    if 'generation' in cfg:
        scope = scope or 'mmpretrain'
    with DefaultScope.overwrite_default_scope(scope):
        data_sets = {name: rehearse_loader(name, cfg.get(name), problems) for name in LOADERS}
        if 'generation' in cfg:
            _rehearse_generation(runner, problems)
        else:
            rehearse_groups(runner, problems)
            with problems.of('strategy'):
                prepare_strategy(cfg)
            model = rehearse_model(runner, problems)
            if model is not None:
                runner.model = model
            rehearse_loops(runner, problems)
            check_no_nan(cfg, problems)
            rehearse_optimizer(runner, model, problems)
            rehearse_hooks(runner, model, problems)
            rehearse_reporting(runner, problems)
        images = data_sets['train_dataloader']
        with problems.of('model'):
            check_head(cfg, images, problems)
            check_teachers(cfg, images, problems)
        check_files(cfg, to_come, problems)
        check_mixers(cfg, searches, problems)
        check_product(stage, problems)
    return model


def _rehearse_generation(runner: RehearsalRunner, problems: Problems) -> None:
    """Read the settings of a set of mixed images, and build its augment."""
    cfg = runner.cfg
    with problems.of('generation'):
        options = read_settings(cfg)[1]
        rehearse_pipeline('generation.pipeline', options['pipeline'], problems)
        if options['teacher'] is not None:
            check_teacher(options['teacher'])
    with problems.of('model.train_cfg.augments'):
        BATCH_AUGMENTS.build(deepcopy(dict(augment_config(cfg))))
