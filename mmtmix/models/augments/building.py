"""The augments of a config or a run, and how to build one outside of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import signature
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.hooks import Hook
from mmpretrain.engine import SwitchRecipeHook
from mmpretrain.models import RandomBatchAugment
from mmpretrain.registry import BATCH_AUGMENTS
from torch import nn

from mmtmix.models.saliency import SALIENCY_SOURCES
from mmtmix.models.teachers import InputStats, loaded_order, preprocessor_config

from .batch_augment import BatchAugment

AUGMENTS: dict[str, dict[str, Any]] = {
    'Mixup': dict(type='SampleMixup'),
    'CutMix': dict(type='SampleCutMix'),
    'ResizeMix': dict(type='SampleResizeMix'),
    'GridMix': dict(type='GridMix'),
    'SmoothMix': dict(type='SmoothMix'),
    'FMix': dict(type='FMix'),
    'SaliencyMix': dict(type='SaliencyMix'),
    'AttentiveMix': dict(type='AttentiveMix'),
    'CAMMix': dict(type='CAMMix'),
    'ObjectPaste': dict(type='ObjectPaste'),
    'PuzzleMix': dict(type='PuzzleMix'),
    'Co-Mixup': dict(type='CoMixup'),
    'SuperMix': dict(type='SuperMix'),
    'TransformMix': dict(type='TransformMix'),
}
"""Configs of the augments of pairs, by the names that papers give them.

The augments in ``WITH_TEACHER`` need a ``teacher`` as well, and TransformMix a ``mixer``.
"""

BLIND = ('Mixup', 'CutMix', 'ResizeMix', 'GridMix', 'SmoothMix', 'FMix')
WITH_TEACHER = ('AttentiveMix', 'CAMMix', 'ObjectPaste', 'SuperMix', 'TransformMix')


def augment_config(cfg: Config) -> ConfigDict:
    """Return the settings of the first augment of this library among a config's batch augments.

    Args:
        cfg: Config of a classifier.

    Raises:
        ValueError: If there is none.
    """
    augments, _ = _configured(cfg)
    for augment in augments:
        kind = augment['type']
        kind = BATCH_AUGMENTS.get(kind) if isinstance(kind, str) else kind
        if isinstance(kind, type) and issubclass(kind, BatchAugment):
            return ConfigDict(augment)
    raise ValueError(
        f'none of the augments in model.train_cfg is one of mmtmix: {augments!r}. Give the '
        'config of a classifier that trains with one, such as '
        'configs/supermix/wrn16_fashionmnist_mini.py'
    )


def build_batch_augments(cfg: Config) -> RandomBatchAugment:
    """Build all augments of a config, those of MMPretrain too, and what chooses among them.

    :func:`~mmtmix.models.detailed_mix.mix_with_details` mixes by it and returns the details.

    Args:
        cfg: Config of a classifier.

    Raises:
        FileNotFoundError: If a file of an augment or its teacher is missing.
        ValueError: If the config has no augment, or the settings of one don't fit.
    """
    augments, probs = _configured(cfg)
    if not augments:
        raise ValueError(
            'the config has no batch augments, so nothing is mixed; give one with '
            "model.train_cfg=dict(augments=...), such as dict(type='CutMix', alpha=1.0)"
        )
    built = [build_for(augment, cfg) for augment in augments]
    # MMPretrain appends to the list that it is given
    return RandomBatchAugment(built, list(probs) if isinstance(probs, Sequence) else probs)


def _configured(cfg: Config) -> tuple[list[Mapping], Any]:
    """Return the settings of a config's batch augments and their probabilities."""
    settings = cfg.model.get('train_cfg') or {}
    if 'augments' not in settings:
        settings = (preprocessor_config(cfg) or {}).get('batch_augments') or {}
    augments = settings.get('augments') or []
    return [augments] if isinstance(augments, Mapping) else list(augments), settings.get('probs')


def with_input_stats(teacher: Mapping, cfg: Config) -> ConfigDict:
    """Return a teacher's settings with the normalisation of a config's images.

    In a run the teacher reads it from the running config.

    Args:
        teacher: Settings of the teacher; ``input_stats`` among them are kept.
        cfg: Config of a classifier.
    """
    stats = InputStats.from_preprocessor(preprocessor_config(cfg) or {}, loaded_order(cfg))
    return ConfigDict({'input_stats': stats, **teacher})


def build_augment(cfg: Config, **overrides: Any) -> BatchAugment:
    """Build the augment of :func:`augment_config`.

    Args:
        cfg: Config of a classifier.
        **overrides: Settings of the augment to change, such as ``num_mix``.

    Raises:
        FileNotFoundError: If a file of the augment or its teacher is missing.
        ValueError: If there is no augment or its settings don't fit.
    """
    return build_for({**augment_config(cfg), **overrides}, cfg)


def build_for(settings: Mapping, cfg: Config) -> Any:
    """Build an augment for the images of a config, and read its files.

    Args:
        settings: Config of the augment. Parts that need the normalisation of the images, and have
            none, get that of ``cfg``: there is no running config to read it from.
        cfg: Config of a classifier.

    Returns:
        A :class:`BatchAugment`, or the augment of another library that the config names.

    Raises:
        FileNotFoundError: If a file of the augment or its teacher is missing.
        ValueError: If the settings don't fit.
    """
    augment = BATCH_AUGMENTS.build(_complete(settings, cfg))
    if isinstance(augment, BatchAugment):
        augment.load()
    return augment


def load_augments(model: nn.Module, hooks: Iterable[Hook] = ()) -> None:
    """Read the files of the augments of a run, before a data loader starts its workers.

    Args:
        model: Classifier, out of its DDP wrapper.
        hooks: Hooks of the run; a ``SwitchRecipeHook`` holds augments for later epochs.

    Raises:
        FileNotFoundError: If a file of an augment or its teacher is missing.
        ValueError: If one doesn't fit.
    """
    for augment in iter_augments(model, hooks):
        augment.load()


def iter_augments(model: nn.Module, hooks: Iterable[Hook] = ()) -> Iterator[BatchAugment]:
    """Yield the augments of a run, each part of a ``ChooseAugment`` by itself.

    Args:
        model: Classifier, out of its DDP wrapper.
        hooks: Hooks of the run, as for :func:`load_augments`.
    """
    chosen = [getattr(getattr(model, 'data_preprocessor', None), 'batch_augments', None)]
    for hook in hooks:
        if isinstance(hook, SwitchRecipeHook):
            chosen += [recipe.get('batch_augments') for recipe in hook.schedule.values()]
    for choice in chosen:
        for augment in getattr(choice, 'augments', ()):
            if isinstance(augment, BatchAugment):
                yield from augment.parts


def _complete(settings: Mapping, cfg: Config) -> ConfigDict:
    """Return the settings of an augment with the normalisation for each part that needs it."""
    kind = settings['type']
    cls = BATCH_AUGMENTS.get(kind) if isinstance(kind, str) else kind
    complete = _with_stats(settings, cls, cfg)
    if isinstance(complete.get('augments'), (list, tuple)):
        complete.augments = [
            _complete(part, cfg) if isinstance(part, Mapping) and 'type' in part else part
            for part in complete.augments
        ]
    if isinstance(complete.get('augment'), Mapping) and 'type' in complete.augment:
        complete.augment = _complete(complete.augment, cfg)
    # the default source of saliency may need the normalisation, too
    default = signature(cls).parameters.get('saliency')
    source = complete.get('saliency', default.default if default else None)
    if source is not None:
        complete.saliency = _complete_source(source, cfg)
    labels = complete.get('labels')
    if isinstance(labels, Mapping):
        complete.labels = ConfigDict(labels)
        if isinstance(labels.get('teacher'), Mapping):
            complete.labels.teacher = with_input_stats(labels['teacher'], cfg)
        if labels.get('saliency') is not None:
            complete.labels.saliency = _complete_source(labels['saliency'], cfg)
    return complete


def _complete_source(source: Any, cfg: Config) -> Any:
    """Return the settings of a saliency source with the normalisation for its parts."""
    settings = dict(type=source) if isinstance(source, str) else source
    if not isinstance(settings, Mapping):
        return source
    cls = settings.get('type')
    if isinstance(cls, str):
        cls = SALIENCY_SOURCES.module_dict.get(cls)
    if cls is None:  # building refuses an unknown name, and lists the names
        return source
    complete = _with_stats(settings, cls, cfg)
    if complete.get('source') is not None:  # of a placebo
        complete.source = _complete_source(complete.source, cfg)
    return complete


def _with_stats(settings: Mapping, cls: type, cfg: Config) -> ConfigDict:
    """Return settings with the normalisation for a class and its teacher."""
    complete = ConfigDict(settings)
    if isinstance(complete.get('teacher'), Mapping):
        complete.teacher = with_input_stats(complete.teacher, cfg)
    stats = with_input_stats({}, cfg)
    if 'input_stats' in signature(cls).parameters and stats.input_stats.std:
        complete = ConfigDict({**stats, **complete})
    return complete
