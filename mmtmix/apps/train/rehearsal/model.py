"""Build a config's model and batch augments, without weights and teachers' files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import MODELS
from mmpretrain.registry import BATCH_AUGMENTS
from torch import nn

from mmtmix.models.search import MixerSearch
from mmtmix.models.teachers import check_teacher, preprocessor_config

from .lookup import find_class
from .problems import Problems
from .stand_ins import RehearsalRunner, is_instance_of, unread_teacher

_PARTS = ('data_preprocessor', 'backbone', 'neck', 'head', 'mixer')


def rehearse_model(runner: RehearsalRunner, problems: Problems) -> nn.Module | None:
    """Build the model of a config; None if that fails.

    Args:
        runner: Stand-in for the run.
        problems: Collector of the errors.
    """
    cfg = runner.cfg
    if isinstance(cfg.get('model'), nn.Module):
        return cfg.model
    if not isinstance(cfg.get('model'), Mapping):
        problems.add('model', TypeError(f'model must be a dict, got {cfg.get("model")!r}'))
        return None
    settings = deepcopy(cfg.model)
    preprocessor = preprocessor_config(cfg)
    if preprocessor is not None:
        settings.setdefault('data_preprocessor', deepcopy(preprocessor))
    settings = _without_files(settings, problems)
    if _rehearse_augments(settings, problems):
        # building them again would repeat their errors under a wider name
        settings.pop('train_cfg', None)
        (settings.get('data_preprocessor') or {}).pop('batch_augments', None)
    try:
        return build_cheaply(runner, settings)
    except Exception as error:
        problems.add(_place_of(settings, error), error)
        return None


def build_cheaply(runner: RehearsalRunner, settings: ConfigDict) -> nn.Module:
    """Build a model without memory for its weights, or with memory if that fails.

    Args:
        runner: Stand-in for the run.
        settings: Config of the model.
    """
    try:
        with torch.device('meta'):
            return runner.build_model(deepcopy(settings))
    except Exception:  # some compute with tensors in their constructors
        return runner.build_model(deepcopy(settings))


def augments_of(cfg: Config | Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return field and config of each batch augment; those that are objects are left out.

    Args:
        cfg: Whole config, or its ``model`` alone as ``dict(model=...)``.
    """
    model = cfg.get('model') or {}
    field, settings = 'model.train_cfg', model.get('train_cfg')
    if not isinstance(settings, Mapping) or 'augments' not in settings:
        preprocessor = model.get('data_preprocessor') or cfg.get('data_preprocessor') or {}
        field, settings = 'data_preprocessor.batch_augments', preprocessor.get('batch_augments')
    if not isinstance(settings, Mapping):
        return []
    return _listed(f'{field}.augments', settings.get('augments') or [])


def parts_of_augment(
    field: str, augment: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield field and config of an augment, of its sources of saliency, and of its label rule.

    Args:
        field: Field of the augment in the config.
        augment: Config of the augment, or of a part of one.
    """
    yield field, augment
    for name in ('saliency', 'labels', 'source'):
        if isinstance(augment.get(name), Mapping):
            yield from parts_of_augment(f'{field}.{name}', augment[name])


def _listed(field: str, augments: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Return field and config of augments, each followed by those that it holds."""
    if isinstance(augments, Mapping):
        inner = [
            found
            for name in ('augments', 'augment')  # of ChooseAugment and of SoftMasks
            for found in _listed(f'{field}.{name}', augments.get(name) or [])
        ]
        return [(field, augments), *inner]
    numbered = enumerate(augments if isinstance(augments, (list, tuple)) else ())
    return [found for number, one in numbered for found in _listed(f'{field}[{number}]', one)]


def _rehearse_augments(settings: ConfigDict, problems: Problems) -> bool:
    """Build each augment, and return whether one failed."""
    before = len(problems.found)
    for field, augment in augments_of(dict(model=settings)):
        with problems.of(field):
            find_class(BATCH_AUGMENTS, augment)
            BATCH_AUGMENTS.build(deepcopy(dict(augment)))
    return len(problems.found) > before


def _without_files(settings: ConfigDict, problems: Problems) -> ConfigDict:
    """Return a model's config without the files that its constructor would read."""
    teacher = settings.get('teacher')
    if not isinstance(teacher, dict):
        return settings
    try:
        is_search = is_instance_of(find_class(MODELS, settings), MixerSearch)
    except KeyError:  # building the model raises the same
        return settings
    if is_search:
        with problems.of('model.teacher'):
            check_teacher(teacher)
        settings.teacher = unread_teacher()
        hard_for = settings.get('hard_for')
        if isinstance(hard_for, dict) and isinstance(hard_for.get('teacher'), dict):
            with problems.of('model.hard_for.teacher'):
                check_teacher(hard_for['teacher'])
            hard_for['teacher'] = unread_teacher()
    return settings


def _place_of(settings: ConfigDict, error: Exception) -> str:
    """Return the field of the part of a model that raises the same error if it is built alone."""
    for part in _PARTS:
        if isinstance(settings.get(part), Mapping) and 'type' in settings[part]:
            try:
                MODELS.build(deepcopy(settings[part]))
            except Exception as other:
                if str(other) == str(error):
                    return f'model.{part}'
    return 'model'
