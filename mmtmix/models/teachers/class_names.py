"""Names of a teacher's classes, and their comparison with those of the images."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mmpretrain.registry import DATASETS

from mmtmix.datasets.class_names import ClassNames, as_names, compare_names, iter_names
from mmtmix.utils import load_config

if TYPE_CHECKING:
    from .frozen_teacher import FrozenTeacher

_CURE = 'use a teacher that was trained with these labels'
_PREDICTED = "; for its saliency alone cam_class='predicted' takes any teacher"


def recorded_classes(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the class names that a checkpoint records, by label; empty where it has none.

    Args:
        content: Content of the file, from MMPretrain 1.x, or from an older one with ``CLASSES``.
    """
    meta = content.get('meta')
    if not isinstance(meta, Mapping):
        return ()
    described = meta.get('dataset_meta')
    classes = described.get('classes') if isinstance(described, Mapping) else None
    return as_names(classes or meta.get('CLASSES'))


def configured_classes(
    config: str | os.PathLike | dict | None, variants: Mapping[str, Any] | None = None
) -> tuple[str, ...]:
    """Return the class names of a config's training images, without building the data set.

    Args:
        config: Path of the config, or its content; None for a teacher without one.
        variants: Values of the variants of the config, by name.

    Returns:
        The names by label; empty where neither the config nor the data set's class lists them.
    """
    if isinstance(config, (str, os.PathLike)):
        cfg = load_config(config, variants=variants)
    else:
        cfg = config or {}
    settings = (cfg.get('train_dataloader') or {}).get('dataset')
    while isinstance(settings, Mapping) and isinstance(settings.get('dataset'), Mapping):
        settings = settings['dataset']  # out of a wrapper
    if not isinstance(settings, Mapping):
        return ()
    own = settings.get('classes') or (settings.get('metainfo') or {}).get('classes')
    kind = settings.get('type')
    cls = DATASETS.get(kind) if isinstance(kind, str) else kind
    return as_names(own or (getattr(cls, 'METAINFO', None) or {}).get('classes'))


def check_class_names(
    teacher: FrozenTeacher, dataset: Any, loader: str, may_predict: bool = False
) -> None:
    """Compare the names of a teacher's classes with those of the images that it labels.

    Args:
        teacher: Teacher whose names are compared.
        dataset: Data set of the images, built and initialised.
        loader: Name of the config field of its loader, for the error.
        may_predict: Whether ``cam_class='predicted'`` would take this teacher.

    Raises:
        ValueError: If a class has another label for the teacher than in the data set.
    """
    owner = f'the teacher {teacher.checkpoint_name}'
    theirs = ClassNames(owner, teacher.classes)
    for names in iter_names(dataset, loader):
        compare_names(names, theirs, _CURE + _PREDICTED * may_predict)
