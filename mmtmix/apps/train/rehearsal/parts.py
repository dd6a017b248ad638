"""Build hooks, loops, optimizer, schedulers, metrics and visualizer of a config."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.hooks import EMAHook, Hook
from mmengine.optim import OptimWrapper
from mmengine.registry import MODELS, OPTIMIZERS, VISBACKENDS, VISUALIZERS
from mmengine.runner import EpochBasedTrainLoop
from torch import nn

from mmtmix.checks import check_integer
from mmtmix.datasets import EndlessSampler
from mmtmix.models.teachers import check_teacher

from .data import rehearse_loader
from .lookup import check_signature, find_class
from .problems import Problems
from .stand_ins import RehearsalRunner

_GROUPS = (
    ('train_dataloader', 'train_cfg', 'optim_wrapper'),
    ('val_dataloader', 'val_cfg', 'val_evaluator'),
    ('test_dataloader', 'test_cfg', 'test_evaluator'),
)


def rehearse_groups(runner: RehearsalRunner, problems: Problems) -> None:
    """Refuse groups of fields that are given in part; a Runner needs all of a group or none.

    Args:
        runner: Stand-in for the run.
        problems: Collector of the errors.
    """
    for group in _GROUPS:
        missing = [name for name in group if runner.cfg.get(name) is None]
        if 0 < len(missing) < len(group):
            given = ', '.join(name for name in group if name not in missing)
            problems.add(
                missing[0],
                ValueError(f'{", ".join(missing)} must be given beside {given}, or none of them'),
            )


def rehearse_loops(runner: RehearsalRunner, problems: Problems) -> None:
    """Build the loops around loaders that are not read, and the metrics.

    Args:
        runner: Stand-in for the run.
        problems: Collector of the errors.
    """
    cfg = runner.cfg
    if cfg.get('train_cfg') is not None:
        with problems.of('train_cfg'):
            for name in ('max_epochs', 'max_iters', 'val_interval'):
                if name in cfg.train_cfg:
                    check_integer(name, cfg.train_cfg[name], 1)
            runner._train_loop = runner.build_train_loop(deepcopy(cfg.train_cfg))
    if runner._train_loop is None:  # schedulers read its length
        runner._train_loop = EpochBasedTrainLoop(runner, runner._train_dataloader, 1)
    builders: dict[str, Callable[[Any], object]] = dict(
        val=runner.build_val_loop, test=runner.build_test_loop
    )
    for kind, build in builders.items():
        evaluator = Evaluator([])
        if cfg.get(f'{kind}_evaluator') is not None:
            with problems.of(f'{kind}_evaluator'):
                evaluator = runner.build_evaluator(deepcopy(cfg[f'{kind}_evaluator']))
        setattr(runner, f'_{kind}_evaluator', evaluator)
        if cfg.get(f'{kind}_cfg') is not None:
            with problems.of(f'{kind}_cfg'):
                build(deepcopy(cfg[f'{kind}_cfg']))


def rehearse_optimizer(
    runner: RehearsalRunner, model: nn.Module | None, problems: Problems
) -> None:
    """Build the optimizer for the model's parameters, and the schedulers.

    Args:
        runner: Stand-in for the run, with its loops.
        model: Model of the run; None builds schedulers alone.
        problems: Collector of the errors.
    """
    cfg = runner.cfg
    # schedulers are checked even if the optimizer is not built
    weight = torch.nn.Parameter(torch.zeros(1))
    runner.optim_wrapper = OptimWrapper(torch.optim.SGD([weight], lr=0.1, momentum=0.9))
    if model is not None and cfg.get('optim_wrapper') is not None:
        with problems.of('optim_wrapper'):
            optimizer = cfg.optim_wrapper.get('optimizer')
            if isinstance(optimizer, Mapping) and 'type' in optimizer:
                # MMEngine's own message would not name an unknown type
                find_class(OPTIMIZERS, optimizer)
            runner.optim_wrapper = _build_optimizer(runner, model)
    schedulers = cfg.get('param_scheduler')
    if schedulers is None:
        return
    is_list = isinstance(schedulers, (list, tuple))
    with problems.of('param_scheduler'):
        runner._check_scheduler_cfg(schedulers)
        for number, scheduler in enumerate(schedulers if is_list else [schedulers]):
            with problems.of(f'param_scheduler[{number}]' if is_list else 'param_scheduler'):
                runner.build_param_scheduler(deepcopy(scheduler))


def check_no_nan(cfg: Config, problems: Problems) -> None:
    """Refuse NaN in the configs of optimizer and schedules, and infinity except in ``clip_grad``.

    Args:
        cfg: Config of a run.
        problems: Collector of the errors.
    """
    for field in ('optim_wrapper', 'param_scheduler'):
        for place, value in _numbers(cfg.get(field), field):
            if math.isnan(value) or (math.isinf(value) and 'clip_grad' not in place):
                problems.add(place, ValueError(f'it must be a finite number, got {value!r}'))


def _numbers(settings: Any, place: str) -> Iterator[tuple[str, float]]:
    if isinstance(settings, float):
        yield place, settings
    elif isinstance(settings, Mapping):
        for name, value in settings.items():
            yield from _numbers(value, f'{place}.{name}')
    elif isinstance(settings, (list, tuple)):
        for number, value in enumerate(settings):
            yield from _numbers(value, f'{place}[{number}]')


def rehearse_hooks(runner: RehearsalRunner, model: nn.Module | None, problems: Problems) -> None:
    """Build default and custom hooks, with their averages of the model, teachers and loaders.

    Args:
        runner: Stand-in for the run.
        model: Model of the run; None builds no averages of it.
        problems: Collector of the errors.
    """
    cfg = runner.cfg
    named = [
        (f'default_hooks.{name}', hook)
        for name, hook in (cfg.get('default_hooks') or {}).items()
        if hook is not None  # None switches a hook off
    ]
    listed = cfg.get('custom_hooks') or []
    named += [(f'custom_hooks[{number}]', hook) for number, hook in enumerate(listed)]
    for field, hook in named:
        with problems.of(field):
            before: list[Hook] = list(runner.hooks)
            runner.register_hook(deepcopy(hook))
            for built in runner.hooks:
                if built not in before and isinstance(built, EMAHook) and model is not None:
                    MODELS.build(deepcopy(built.ema_cfg), default_args=dict(model=model))
        if not isinstance(hook, Mapping):
            continue
        if isinstance(hook.get('teacher'), Mapping):
            with problems.of(f'{field}.teacher'):
                check_teacher(hook['teacher'])
        mixed = hook.get('mixed')
        if isinstance(mixed, Mapping) and isinstance(mixed.get('dataloader'), Mapping):
            # settings that DistillHook adds, or takes from the training loader
            added = dict(batch_size=1, sampler=dict(type=EndlessSampler, shuffle=True))
            loader = {**added, **mixed['dataloader']}
            rehearse_loader(f'{field}.mixed.dataloader', loader, problems)


def rehearse_reporting(runner: RehearsalRunner, problems: Problems) -> None:
    """Build the log processor; check the arguments of the visualizer and its backends.

    Args:
        runner: Stand-in for the run.
        problems: Collector of the errors.
    """
    cfg = runner.cfg
    if cfg.get('log_processor') is not None:
        with problems.of('log_processor'):
            runner.build_log_processor(deepcopy(cfg.log_processor))
    visualizer = cfg.get('visualizer')
    if not isinstance(visualizer, Mapping):
        return
    with problems.of('visualizer'):  # a built one would become that of the process
        check_signature(find_class(VISUALIZERS, visualizer), visualizer, name='', save_dir='')
    backends = visualizer.get('vis_backends') or ()
    backends = list(backends.values()) if isinstance(backends, Mapping) else backends
    for number, backend in enumerate(backends):
        if isinstance(backend, Mapping):
            with problems.of(f'visualizer.vis_backends[{number}]'):
                check_signature(find_class(VISBACKENDS, backend), backend, save_dir='')


def _build_optimizer(runner: RehearsalRunner, model: nn.Module) -> OptimWrapper:
    """Build the optimizer for weights without memory, or for real ones if it reads them."""
    runner.model = model
    try:
        return runner.build_optim_wrapper(deepcopy(runner.cfg.optim_wrapper))
    except Exception:
        weights = [weight for weight in model.parameters() if weight.device.type == 'meta']
        if not weights:
            raise
        runner.model = model.to_empty(device='cpu')
        return runner.build_optim_wrapper(deepcopy(runner.cfg.optim_wrapper))
