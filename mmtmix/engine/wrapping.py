"""How a distributed run wraps its model: by a Runner, or by the strategy of a FlexibleRunner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import torch
import torch.distributed as torch_dist
from mmengine._strategy import DDPStrategy
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.hooks import EMAHook
from mmengine.registry import STRATEGIES, Registry
from mmengine.runner import FlexibleRunner, weights_to_cpu
from mmpretrain.registry import HOOKS, MODELS

from mmtmix.checks import check_instance
from mmtmix.models.classifiers import AutoMixClassifier
from mmtmix.models.search import MixerSearch
from mmtmix.utils import unwrap

from .hooks import ChannelsLastHook, LiveModelHook

try:
    from mmengine._strategy import FSDPStrategy
    from torch.distributed.fsdp import FullyShardedDataParallel
except ImportError:  # torch was built without distributed training
    FSDPStrategy = None

_FULL = 'FULL_STATE_DICT'
_DDP = "a DDPStrategy, or a plain Runner, whose DDP wraps each process's whole model"
_BY_NORM = ('LARS', 'Lamb')  # optimizers that scale by the norm of a parameter
# what reads or copies weights outside of the forward pass, where a process has a shard of them
_NEEDS_WHOLE: dict[type, str] = {
    MixerSearch: 'exports the mixing module',
    AutoMixClassifier: 'moves a momentum encoder by the weights',
    EMAHook: 'averages the weights',
    LiveModelHook: 'runs the network for its saliency outside of the training step',
    ChannelsLastHook: 'reorders the weights',
}


def set_cpu_wrapper(cfg: Config) -> None:
    """Set how a Runner wraps its model on CPUs, where MMEngine's default names a CUDA device.

    Args:
        cfg: Config of a distributed run, changed in place. Settings that it has are kept.
    """
    is_new = cfg.get('model_wrapper_cfg') is None
    wrapper = cfg.setdefault('model_wrapper_cfg', ConfigDict())
    if is_new and 'find_unused_parameters' in cfg:
        # MMEngine reads it only where there is no wrapper's config
        wrapper.find_unused_parameters = cfg.find_unused_parameters
    wrapper.setdefault('type', 'MMDistributedDataParallel')
    wrapper.setdefault('broadcast_buffers', False)
    wrapper.setdefault('device_ids', None)


def adapt_strategy(runner: Any) -> None:
    """Make a FlexibleRunner wrap on CPUs, resume, and write the keys that a Runner writes.

    MMEngine's strategies name CUDA devices. The device is no part of the config, which is the same
    on every machine. A ``DDPStrategy`` would write ``module.`` before each key. An
    ``FSDPStrategy`` cannot resume, since it calls torch with arguments of an earlier order.

    Args:
        runner: A Runner that has not run. Only a FlexibleRunner with a ``DDPStrategy`` or an
            ``FSDPStrategy`` is changed.
    """
    strategy = getattr(runner, 'strategy', None)
    if not isinstance(runner, FlexibleRunner) or not isinstance(strategy, DDPStrategy):
        return
    is_sharded = FSDPStrategy is not None and isinstance(strategy, FSDPStrategy)
    if is_sharded:
        strategy.load_optim_state_dict = partial(_load_optimizer, strategy)
    else:
        strategy.model_state_dict = lambda: weights_to_cpu(unwrap(strategy.model).state_dict())
    if get_device() != 'cpu':
        return
    wrapper = dict(strategy.model_wrapper or {})
    if is_sharded:
        wrapper.setdefault('type', 'MMFullyShardedDataParallel')
        wrapper.setdefault('device_id', torch.device('cpu'))
    else:
        wrapper.setdefault('type', 'MMDistributedDataParallel')
        wrapper.setdefault('broadcast_buffers', False)
        wrapper.setdefault('device_ids', None)
    strategy.model_wrapper = wrapper


def _load_optimizer(strategy: Any, state: dict) -> None:
    """Load the optimizer's state from a whole checkpoint, each process its shard."""
    optimizer = strategy.optim_wrapper.optimizer
    shard = FullyShardedDataParallel.optim_state_dict_to_load(strategy.model, optimizer, state)
    strategy.optim_wrapper.load_state_dict(shard)


def prepare_strategy(cfg: Config) -> None:
    """Make an ``FSDPStrategy`` write whole checkpoints, and refuse what it would break.

    By default it writes a folder of shards, which no other stage or tool of ours can read.

    Args:
        cfg: Config of a run, changed in place; nothing happens without an ``FSDPStrategy``.

    Raises:
        TypeError: If ``strategy`` is no dict.
        ValueError: If the run has one process alone, writes shards, clips gradients, or has a
            model or a hook that needs the whole weights. Each process would compute with its own
            shard, in silence.
    """
    strategy = cfg.get('strategy')
    if strategy is None or isinstance(strategy, DDPStrategy) or cfg.get('runner_type') is None:
        return
    check_instance('strategy', strategy, Mapping, "a dict such as dict(type='DDPStrategy')")
    if not _is_kind(STRATEGIES, strategy, FSDPStrategy):
        return
    if cfg.get('launcher') == 'none' and not torch_dist.is_initialized():
        raise ValueError(
            'strategy: FSDPStrategy divides the weights among processes, and this is one alone; '
            'start them by tools/dist_train.sh CONFIG N, or leave the strategy out'
        )
    strategy.setdefault('state_dict_cfg', 'full')
    states = strategy['state_dict_cfg']
    kind = states.get('state_dict_type') if isinstance(states, Mapping) else states
    if getattr(kind, 'name', kind) not in ('full', _FULL):
        raise ValueError(
            f'strategy.state_dict_cfg={states!r} of FSDPStrategy writes a folder of shards, which '
            "no other stage or tool can read; set state_dict_cfg='full', or leave it out"
        )
    for name, settings, registry in _parts(cfg):
        for part, purpose in _NEEDS_WHOLE.items():
            if _is_kind(registry, settings, part):
                raise ValueError(
                    f'{name}: {part.__name__} {purpose}, and with FSDPStrategy each process has '
                    f'only a shard of them; use {_DDP}'
                )
    wrapper = cfg.get('optim_wrapper') or {}
    optimizer = (wrapper.get('optimizer') or {}).get('type')
    if wrapper.get('clip_grad') is not None or optimizer in _BY_NORM:
        name = 'clip_grad' if wrapper.get('clip_grad') is not None else f'optimizer={optimizer!r}'
        raise ValueError(
            f'optim_wrapper.{name} with FSDPStrategy scales by the norm of one shard, another on '
            f'each process; leave it out, or use {_DDP}'
        )


def _parts(cfg: Config) -> Iterator[tuple[str, Any, Registry]]:
    """Yield the model and the hooks of a config: their names, settings and registries."""
    yield 'model', cfg.get('model'), MODELS
    for name, hook in (cfg.get('default_hooks') or {}).items():
        yield f'default_hooks.{name}', hook, HOOKS
    for number, hook in enumerate(cfg.get('custom_hooks') or ()):
        yield f'custom_hooks[{number}]', hook, HOOKS


def _is_kind(registry: Registry, settings: Any, kind: type | None) -> bool:
    """Return whether a config's part is, or builds, an object of a class."""
    if kind is None:
        return False
    if not isinstance(settings, Mapping):
        return isinstance(settings, kind)
    found = settings.get('type')
    found = registry.get(found) if isinstance(found, str) else found
    return isinstance(found, type) and issubclass(found, kind)
