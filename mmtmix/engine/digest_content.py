"""Select the parts of a config that determine a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config

from mmtmix.functional import SUPERMIX_FAST, SUPERMIX_PAPER

from .stage_seeds import STAGE_SEEDS

# fields that a Runner or the generation of mixed images reads, and that a result depends on
FIELDS = frozenset(
    {
        *('model', 'data_preprocessor', 'optim_wrapper', 'param_scheduler', 'auto_scale_lr'),
        *(f'{loop}_{part}' for loop in ('train', 'val', 'test') for part in ('dataloader', 'cfg')),
        *('val_evaluator', 'test_evaluator', 'default_hooks', 'custom_hooks', 'generation'),
        *('load_from', 'randomness', 'default_scope', 'env_cfg', 'runner_type', 'strategy'),
        *('model_wrapper_cfg', 'sync_bn', 'find_unused_parameters', 'compile'),
        *('activation_checkpointing', 'efficient_conv_bn_eval', 'init_weights_for_test_or_val'),
        STAGE_SEEDS,
    }
)
# hooks that watch or log a run, and do not change its result
WATCHERS = frozenset(
    {
        *(
            'AccuracySummaryHook',
            'EarlyCheckpointHook',
            'FiniteStopHook',
            'IterTimerHook',
            'KeepFreedMemoryHook',
        ),
        *('LabelRangeHook', 'LoggerHook', 'MixLogHook', 'MixVisualizationHook'),
        *('MixingCheckHook', 'PredictionPicturesHook', 'ProfilerHook', 'VisualizationHook'),
    }
)
# names of those among the default hooks, which None switches off
_WATCHER_NAMES = frozenset(
    {
        *(
            'accuracy_summary',
            'finite_stop',
            'label_range',
            'logger',
            'mix_log',
            'mix_visualization',
        ),
        *('mixing_check', 'timer', 'visualization'),
    }
)
# fields that only determine where output goes, or that count in another way
_OUTPUTS = frozenset(
    {
        *('work_dir', 'experiment_name', 'visualizer', 'vis_backends', 'log_level'),
        *('log_processor', 'launcher', 'resume', 'requires', 'custom_imports'),
    }
)
# defaults that have changed: of each type, those of now and those of the first release
_CHANGED_DEFAULTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    'SuperMix': (SUPERMIX_FAST, SUPERMIX_PAPER),
    'TransformMixer': (dict(mask_size=16), dict(mask_size=None)),
}
# arguments of each type that change its time or memory alone
WITHOUT_EFFECT = {'ResidentDataset': frozenset({'max_bytes', 'read_workers'})}


def content_of(cfg: Config, has_seed: bool) -> dict[str, Any]:
    """Return the fields of a config that a result depends on, without hooks that only watch.

    Args:
        cfg: Config of a run.
        has_seed: Whether the seed of this run is one of them.

    Returns:
        Values of the fields by their names.
    """
    content = cfg.to_dict()
    # a runner of another class may read any field
    fields = content.keys() - _OUTPUTS if content.get('runner_type') else FIELDS
    found = {name: content[name] for name in fields if content.get(name) is not None}
    if isinstance(found.get('default_hooks'), Mapping):
        found['default_hooks'] = {
            name: hook
            for name, hook in found['default_hooks'].items()
            if not (_only_watches(hook) or (hook is None and name in _WATCHER_NAMES))
        }
    if isinstance(found.get('custom_hooks'), Sequence):
        hooks = [hook for hook in found.pop('custom_hooks') if not _only_watches(hook)]
        if hooks:  # none are as no field
            found['custom_hooks'] = hooks
    if isinstance(found.get('randomness'), Mapping) and not has_seed:
        kept = {name: value for name, value in found['randomness'].items() if name != 'seed'}
        found['randomness'] = kept
    return found


def _only_watches(hook: Any) -> bool:
    return type_name(hook if isinstance(hook, Mapping) else dict(type=hook)) in WATCHERS


def type_name(settings: Mapping[str, Any]) -> str:
    """Return the name of the class that a config's dict builds.

    Args:
        settings: Config of anything, with ``type`` if it builds a class.

    Returns:
        Name of the class, without its scope or module; empty if it builds none.
    """
    kind = settings.get('type')
    name = kind if isinstance(kind, str) else getattr(kind, '__name__', '')
    return name.rpartition('.')[2]


def with_first_defaults(value: Any) -> Any:
    """Return a config in which what is left out has the value of the first release's default.

    A default that changes would otherwise change the meaning of a config, and not its digest.
    An argument with the first default is left out, and a new default is written out. So a config
    that names the former values has the digest that was recorded when it left them out. A digest
    of a config that already named them is another one now.

    Args:
        value: Config of anything, with dicts and lists inside.
    """
    if isinstance(value, (list, tuple)):
        return [with_first_defaults(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    items = {name: with_first_defaults(item) for name, item in value.items()}
    changed = _CHANGED_DEFAULTS.get(type_name(items))
    if changed is None:
        return items
    present, first = changed
    meant = {**present, **items}
    return {name: item for name, item in meant.items() if name not in first or item != first[name]}
