"""The config of a run that mixes batches and trains nothing."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from copy import deepcopy
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.hooks import Hook
from mmpretrain.registry import HOOKS

from mmtmix.checks import check_integer
from mmtmix.models.teachers import preprocessor_config

# hooks that draw, seed or change what the network gets; others only observe or save
_KEPT = ('runtime_info', 'sampler_seed', 'epoch_seed')
_OFF = ('timer', 'logger', 'param_scheduler', 'checkpoint')  # MMEngine adds them unless None
_DROPPED_HOOKS = ('EMAHook', 'EarlyStoppingHook', 'PreciseBNHook')
_DROPPED_FIELDS = (
    'val_dataloader',
    'val_cfg',
    'val_evaluator',
    'test_dataloader',
    'test_cfg',
    'test_evaluator',
    'param_scheduler',
    'auto_scale_lr',
    'runner_type',
    'strategy',
    'compile',
    'model_wrapper_cfg',
    'visualizer',
    'requires',
)
_LOADER_DEFAULTS = ('persistent_workers', 'prefetch_factor', 'pin_memory')


def browsing_config(cfg: Config, options: Mapping[str, Any], work_dir: str) -> Config:
    """Return a config whose run yields the training batches of another config.

    Data set, pipeline, sampler, data preprocessor, augments and the hooks that mix are those of
    ``cfg``. The loader has no workers, since batches of a seed must not depend on their number.

    Args:
        cfg: Config of a training, which is not changed.
        options: ``epoch``, ``batches``, ``num``, ``seed``, ``no_mix`` and ``checkpoint`` of the
            command.
        work_dir: Folder that the run may write to.

    Raises:
        ValueError: If the config trains nothing, or has no such epoch.
    """
    if cfg.get('train_dataloader') is None or cfg.get('model') is None or 'generation' in cfg:
        raise ValueError(
            'the config has no training to draw (model and train_dataloader, no generation); '
            'browse the config of a classifier, a student or a search. What a generation mixes is '
            'drawn by: mmtmix visualize mix'
        )
    last = _epochs(cfg)
    cure = f'the training has {last} epoch(s); one by iterations counts as one'
    check_integer('--epoch', options['epoch'], 1, last, cure=cure)
    browsing = deepcopy(cfg)
    for field in _DROPPED_FIELDS:
        browsing.pop(field, None)
    _without_workers(browsing.train_dataloader, options['num'])
    _without_pretrained(browsing.model)
    if options['no_mix']:
        _without_augments(browsing)
    _keep_hooks(browsing, options['no_mix'])
    browsing.merge_from_dict(
        dict(
            work_dir=work_dir,
            launcher='none',
            resume=False,
            load_from=options['checkpoint'],
            log_level='WARNING',
        )
    )
    browsing.randomness = dict(seed=options['seed'])
    browsing.optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.0))  # a Runner needs one
    loop = dict(type='BrowseLoop', epoch=options['epoch'], batches=options['batches'])
    browsing.train_cfg = dict(loop, max_epochs=last)
    return browsing


def hook_of(runner: Any, kind: type[Hook]) -> Any | None:
    """Return the hook of a class in a run; None if it has none.

    Args:
        runner: A Runner.
        kind: Class of the hook.
    """
    return next((hook for hook in runner.hooks if isinstance(hook, kind)), None)


def _epochs(cfg: Config) -> int:
    """Return the number of epochs of a training; one by iterations has one."""
    settings = cfg.get('train_cfg') or {}
    return int(settings.get('max_epochs') or 1)


def _without_workers(loader: ConfigDict, most: int) -> None:
    """Have a loader read in the main process, and at most this number of images per batch."""
    for name in _LOADER_DEFAULTS:
        loader.pop(name, None)
    loader.num_workers = 0
    loader.setdefault('collate_fn', dict(type='default_collate'))
    if isinstance(loader.get('batch_size'), int):
        loader.batch_size = min(loader.batch_size, most)


def _keep_hooks(cfg: Config, no_mix: bool) -> None:
    """Remove the hooks that observe, save or stop a run, and with ``no_mix`` those that mix."""
    hooks = cfg.get('default_hooks') or {}
    kept = {name: hooks[name] for name in _KEPT if name in hooks}
    cfg.default_hooks = ConfigDict({**dict.fromkeys(_OFF), **kept})
    dropped = {*_DROPPED_HOOKS, *(('DistillHook',) if no_mix else ())}
    cfg.custom_hooks = [
        hook for hook in cfg.get('custom_hooks') or () if _kind(hook) not in dropped
    ]


def _without_pretrained(settings: Any) -> None:
    """Remove weights that building would load: pictures of a batch need none."""
    if isinstance(settings, MutableMapping):
        init = settings.get('init_cfg')
        if isinstance(init, (list, tuple)):
            settings['init_cfg'] = [one for one in init if not _is_pretrained(one)]
        elif _is_pretrained(init):
            settings['init_cfg'] = None
        settings.pop('pretrained', None)
    values = settings.values() if isinstance(settings, Mapping) else settings
    for value in values:
        if isinstance(value, (MutableMapping, list, tuple)):
            _without_pretrained(value)


def _is_pretrained(init: Any) -> bool:
    return isinstance(init, Mapping) and init.get('type') == 'Pretrained'


def _without_augments(cfg: Config) -> None:
    """Remove the batch augments from all places where a config may have them."""
    if cfg.model.get('train_cfg'):
        cfg.model.train_cfg = None
    for preprocessor in (preprocessor_config(cfg), cfg.get('data_preprocessor')):
        if isinstance(preprocessor, MutableMapping):
            preprocessor.pop('batch_augments', None)


def _kind(hook: Any) -> str:
    """Return the name of a hook's class."""
    kind = hook.get('type') if isinstance(hook, Mapping) else type(hook)
    found = HOOKS.get(kind) if isinstance(kind, str) else kind
    return getattr(found, '__name__', str(kind))
