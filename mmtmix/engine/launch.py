"""Settings that our commands add to a config before a Runner is built from it."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from copy import deepcopy
from typing import Any

import torch.distributed as torch_dist
from mmengine._strategy import SingleDeviceStrategy
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.dist import init_dist
from mmengine.logging import print_log
from mmengine.registry import RUNNERS, VISBACKENDS
from mmengine.runner import Runner
from mmengine.visualization import LocalVisBackend

from mmtmix.checks import check_instance
from mmtmix.datasets import name_image_files
from mmtmix.utils import allocator_note

from .checkpoints import write_checkpoints_whole
from .hooks import keep_checkpoints
from .wrapping import adapt_strategy, prepare_strategy, set_cpu_wrapper

# Hooks that our commands add to every run, in this order. A config replaces one by its own
# settings in default_hooks, or switches it off by None.
_ADDED_HOOKS = {
    'last_checkpoint': 'LastCheckpointHook',
    'mixing_check': 'MixingCheckHook',
    'label_range': 'LabelRangeHook',
    'precision': 'PrecisionHook',
    'finite_stop': 'FiniteStopHook',
    'mix_log': 'MixLogHook',
    'mix_visualization': 'MixVisualizationHook',
    'resume_config': 'ResumeConfigHook',
    'signal_stop': 'SignalStopHook',
}
# MMEngine's own default hooks, which a config may switch off by None
_HOSTS_HOOKS = {'runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint'}
_LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def init_launcher(launcher: str, cfg: Config) -> None:
    """Start the process group of a launch before anything reads its rank.

    A Runner keeps a group that already exists. Stages are planned, and mixed images generated,
    without a Runner. On machines without an accelerator ``torchrun`` uses gloo, since MMEngine's
    start would require a CUDA device there.

    Args:
        launcher: Name of the launcher, ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        cfg: Config of the launch; its ``env_cfg.dist_cfg`` is used as by a Runner.

    Raises:
        ValueError: If torchrun started this process as one of several and ``launcher`` is
            ``'none'``. ``RANK`` and ``WORLD_SIZE`` alone mean nothing, since another program may
            have exported them.
    """
    if launcher == 'none' and 'TORCHELASTIC_RUN_ID' in os.environ:
        processes = os.environ.get('WORLD_SIZE', '1')
        if processes != '1':
            raise ValueError(
                f'torchrun started {processes} processes, and each would do all of the work: add '
                '--launcher pytorch, or unset TORCHELASTIC_RUN_ID if this is no torchrun'
            )
    if launcher == 'none' or torch_dist.is_initialized():
        return
    store = _store_of_attempt() if launcher == 'pytorch' else {}
    if launcher == 'pytorch' and get_device() == 'cpu':
        torch_dist.init_process_group('gloo', **store)
    else:
        init_dist(launcher, **(cfg.get('env_cfg') or {}).get('dist_cfg', {}), **store)


def _store_of_attempt() -> dict[str, Any]:
    """Return arguments of a process group with a store of its own for each restart.

    Torchrun's processes share a store with it, in which restarted ones may read the addresses of
    dead ones (pytorch issue 135712). Only on one machine do all count the same restarts; for
    several, ``tools/torchrun.sh`` switches the sharing off.
    """
    env = os.environ
    attempt = env.get('TORCHELASTIC_RESTART_COUNT', '0')
    is_shared = env.get('TORCHELASTIC_USE_AGENT_STORE') == 'True'
    is_alone = env.get('GROUP_WORLD_SIZE') == '1' and get_device() in ('cpu', 'cuda')
    if attempt == '0' or not (is_shared and is_alone):
        return {}
    store = torch_dist.TCPStore(env['MASTER_ADDR'], int(env['MASTER_PORT']), is_master=False)
    return dict(
        store=torch_dist.PrefixStore(f'attempt {attempt}', store),
        rank=int(env['RANK']),
        world_size=int(env['WORLD_SIZE']),
    )


def end_launch() -> None:
    """End the process group of a launch whose work is done, if there is one.

    Without it, threads of the group may still run at the interpreter's exit and abort the process.
    A rank that fails doesn't call this, since the launcher stops the others.
    """
    if torch_dist.is_initialized():
        torch_dist.destroy_process_group()


def set_loader_defaults(
    cfg: Config, pin_memory: bool = True, persistent_workers: bool = True
) -> None:
    """Fill in what MMPretrain's tools fill in for data loaders.

    Args:
        cfg: Config, changed in place.
        pin_memory: Whether pinned memory is allowed; False switches it off everywhere.
        persistent_workers: Whether they are allowed; False switches them off everywhere.

    Raises:
        TypeError: If a loader is no dict.
    """
    for field in _LOADERS:
        if cfg.get(field) is None:
            continue
        check_instance(field, cfg[field], Mapping, 'a dict')
        # without an accelerator torch would warn in every epoch that it pins nothing
        pins = get_device() != 'cpu'
        defaults = dict(pin_memory=pins, collate_fn=dict(type='default_collate'))
        if cfg[field].get('num_workers', 0) > 0:
            defaults['persistent_workers'] = True
        loader = ConfigDict({**defaults, **cfg[field]})
        if not pin_memory:
            loader.pin_memory = False
        if not persistent_workers:
            loader.persistent_workers = False
        cfg[field] = loader


def use_amp(cfg: Config) -> None:
    """Train in mixed precision (``--amp``), on CPUs where it is faster.

    Args:
        cfg: Config, changed in place.
    """
    if get_device() == 'cpu':
        cfg.optim_wrapper.type = 'mmpretrain.AutocastOptimWrapper'
    else:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def keep_local_log(cfg: Config) -> None:
    """Add a ``LocalVisBackend`` to the visualizer's backends if none is there.

    Reports read a run's figures from the file that it writes. Backends of other services, such as
    TensorBoard, stay beside it.

    Args:
        cfg: Config, changed in place.
    """
    visualizer = cfg.get('visualizer')
    if not isinstance(visualizer, MutableMapping):
        return  # an object; without any, MMEngine's own has a local backend
    backends = visualizer.get('vis_backends') or ()
    if isinstance(backends, Mapping):  # --cfg-options makes one of vis_backends.0.type=...
        backends = backends.values()
        visualizer.setdefault('type', 'mmpretrain.UniversalVisualizer')
    backends = list(backends)
    kinds = [each.get('type') if isinstance(each, Mapping) else type(each) for each in backends]
    kinds = [VISBACKENDS.get(kind) if isinstance(kind, str) else kind for kind in kinds]
    if not any(isinstance(kind, type) and issubclass(kind, LocalVisBackend) for kind in kinds):
        visualizer['vis_backends'] = [*backends, dict(type='LocalVisBackend')]


def build_runner(cfg: Config) -> Runner:
    """Build the Runner of a config, with the hooks of our commands.

    Args:
        cfg: Complete config with ``work_dir`` and ``launcher``; it is not changed.
    """
    cfg = deepcopy(cfg)
    hooks = cfg.setdefault('default_hooks', ConfigDict())
    keep_checkpoints(hooks)
    for name, kind in _ADDED_HOOKS.items():
        hooks.setdefault(name, dict(type=f'mmpretrain.{kind}'))
    keep_local_log(cfg)
    name_image_files(list(cfg.values()))
    distributed = cfg.get('launcher', 'none') != 'none'
    if distributed:
        # otherwise each rank validates with running statistics of its own, and rank 0's are saved
        hooks.setdefault('sync_buffers', dict(type='SyncBuffersHook'))
    for name in [name for name, hook in hooks.items() if hook is None]:
        if name not in _HOSTS_HOOKS:
            del hooks[name]  # MMEngine accepts None for its own hooks alone
    prepare_strategy(cfg)
    if distributed and get_device() == 'cpu':
        set_cpu_wrapper(cfg)
    runner = Runner.from_cfg(cfg) if 'runner_type' not in cfg else RUNNERS.build(cfg)
    adapt_strategy(runner)
    # strategies of other kinds write folders
    if isinstance(getattr(runner, 'strategy', None), SingleDeviceStrategy) or isinstance(
        runner, Runner
    ):
        write_checkpoints_whole(runner)
    if allocator_note():
        print_log(allocator_note(), 'current')
    return runner
