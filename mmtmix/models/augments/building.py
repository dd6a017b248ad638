"""The mixer of a config, outside of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from inspect import signature

from mmengine.config import Config, ConfigDict
from mmengine.hooks import Hook
from mmpretrain.engine import SwitchRecipeHook
from mmpretrain.registry import BATCH_AUGMENTS
from torch import nn

from mmtmix.models.saliency import SALIENCY_SOURCES
from mmtmix.models.teachers import InputStats, loaded_order, preprocessor_config

from .batch_augment import BatchAugment


def augment_config(cfg: Config) -> ConfigDict:
    """The settings of the first mixer of this library among a config's batch augments.

    Raises:
        ValueError: If there is none.
    """
    settings = cfg.model.get('train_cfg') or {}
    if 'augments' not in settings:
        settings = (preprocessor_config(cfg) or {}).get('batch_augments') or {}
    augments = settings.get('augments') or []
    for augment in [augments] if isinstance(augments, Mapping) else augments:
        kind = augment['type']
        kind = BATCH_AUGMENTS.get(kind) if isinstance(kind, str) else kind
        if isinstance(kind, type) and issubclass(kind, BatchAugment):
            return ConfigDict(augment)
    raise ValueError(
        f'none of the augments in model.train_cfg is a mixer of mmtmix: {augments!r}. Give the '
        'config of a classifier that trains with one, such as '
        'configs/supermix/wrn16_fashionmnist_mini.py'
    )


def with_input_stats(teacher: Mapping, cfg: Config) -> ConfigDict:
    """A teacher's settings, with the normalisation of a config's images, since no run tells it."""
    stats = InputStats.from_preprocessor(preprocessor_config(cfg) or {}, loaded_order(cfg))
    return ConfigDict({'input_stats': stats, **teacher})


def build_augment(cfg: Config, **overrides) -> BatchAugment:
    """Build the mixer of :func:`augment_config`.

    Args:
        cfg: A classifier's config.
        **overrides: Settings of the mixer to change, such as ``num_mix``.

    Raises:
        FileNotFoundError: If a file of the mixer or its teacher is missing.
        ValueError: If there is none or its settings don't fit.
    """
    return build_for({**augment_config(cfg), **overrides}, cfg)


def build_for(settings: Mapping, cfg: Config) -> BatchAugment:
    """Build a mixer for the images of a config, with what it needs of files.

    Args:
        settings: The mixer's config. Whatever in it wants to know how images are normalised, and
            isn't told, is told: no run does it.
        cfg: A classifier's config.

    Raises:
        FileNotFoundError: If a file of the mixer or its teacher is missing.
        ValueError: If the settings don't fit.
    """
    kind = settings['type']
    cls = BATCH_AUGMENTS.get(kind) if isinstance(kind, str) else kind
    told = _told(settings, cls, cfg)
    # the mixer's default source may want to know it, too
    default = signature(cls).parameters.get('saliency')
    source = told.get('saliency', default.default if default else None)
    source = dict(type=source) if isinstance(source, str) else source
    if isinstance(source, Mapping):
        source_cls = source.get('type')
        if isinstance(source_cls, str):
            source_cls = SALIENCY_SOURCES.module_dict.get(source_cls)
        if source_cls is not None:  # else building it says which there are
            told.saliency = _told(source, source_cls, cfg)
    mixer = BATCH_AUGMENTS.build(told)
    mixer.load()
    return mixer


def load_augments(model: nn.Module, hooks: Iterable[Hook] = ()) -> None:
    """Let the mixers of a run read their files, before a data loader starts its workers.

    Args:
        model: A classifier, out of its DDP wrapper.
        hooks: Of the run; a ``SwitchRecipeHook`` brings mixers that are used later.

    Raises:
        FileNotFoundError: If a file of a mixer or its teacher is missing.
        ValueError: If one doesn't fit.
    """
    for mixer in iter_augments(model, hooks):
        mixer.load()


def iter_augments(model: nn.Module, hooks: Iterable[Hook] = ()) -> Iterator[BatchAugment]:
    """Yield the mixers of a run, as in :func:`load_augments`."""
    chosen = [getattr(getattr(model, 'data_preprocessor', None), 'batch_augments', None)]
    for hook in hooks:
        if isinstance(hook, SwitchRecipeHook):
            chosen += [recipe.get('batch_augments') for recipe in hook.schedule.values()]
    for choice in chosen:
        for augment in getattr(choice, 'augments', ()):
            if isinstance(augment, BatchAugment):
                yield augment


def _told(settings: Mapping, cls: type, cfg: Config) -> ConfigDict:
    """Settings, with the normalisation for the class and its teacher."""
    told = ConfigDict(settings)
    if isinstance(told.get('teacher'), Mapping):
        told.teacher = with_input_stats(told.teacher, cfg)
    stats = with_input_stats({}, cfg)
    if 'input_stats' in signature(cls).parameters and stats.input_stats.std:
        told = ConfigDict({**stats, **told})
    return told
