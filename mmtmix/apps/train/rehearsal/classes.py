"""Compare the numbers of classes of data, heads and teachers, where configs have them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmpretrain.datasets import CustomDataset
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.engine import DistillHook
from mmtmix.engine.distillation import check_class_counts
from mmtmix.models.augments import SuperMix, TransformMix
from mmtmix.models.label_rules import LABEL_RULES, TeacherLabels
from mmtmix.models.saliency import SALIENCY_SOURCES
from mmtmix.models.saliency.teacher_cam import TeacherCAM
from mmtmix.models.teachers import preprocessor_config
from mmtmix.utils import load_config

from .lookup import find_class
from .model import augments_of, parts_of_augment
from .problems import Problems
from .stand_ins import is_instance_of


def check_head(cfg: Config, dataset: Any, problems: Problems) -> None:
    """Refuse a head with fewer classes than the training images have.

    Args:
        cfg: Config of a run.
        dataset: Training set, not read; None if unknown.
        problems: Collector of the errors.
    """
    named = [part.get('num_classes') for part in _parts_with_classes(cfg)]
    ours = min((count for count in named if isinstance(count, int)), default=None)
    theirs = count_image_classes(dataset)
    if ours is not None and theirs is not None and ours < theirs:
        text = f'train_dataloader has {theirs} classes and the model {ours}'
        problems.add('model.head', ValueError(f'{text}; set num_classes={theirs}'))


def check_teachers(cfg: Config, dataset: Any, problems: Problems) -> None:
    """Refuse teachers with another number of classes, where the same number is needed.

    Args:
        cfg: Config of a run.
        dataset: Training set, not read; None if unknown.
        problems: Collector of the errors.
    """
    classes = count_task_classes(cfg)
    if classes is None:
        classes = count_image_classes(dataset)
    if classes is None:
        return
    for field, teacher in _teachers_of_this_task(cfg):
        theirs = count_teacher_classes(teacher)
        if theirs is not None and theirs != classes:
            error = ValueError(
                f'the teacher {teacher.get("config")!s:.200} has {theirs} classes and the task '
                f'has {classes}; give a teacher of this task'
            )
            problems.add(field, error)
    for number, hook in enumerate(cfg.get('custom_hooks') or ()):
        if isinstance(hook, Mapping) and hook.get('type') in ('DistillHook', DistillHook):
            with problems.of(f'custom_hooks[{number}].teacher'):
                check_class_counts(classes, count_teacher_classes(hook.get('teacher')))


def count_task_classes(cfg: Config) -> int | None:
    """Return the number of classes of a config's labels; None if it has none.

    Args:
        cfg: Config of a run.
    """
    named = [part.get('num_classes') for part in _parts_with_classes(cfg)]
    return next((count for count in named if isinstance(count, int)), None)


def count_image_classes(dataset: Any) -> int | None:
    """Return the number of classes of a data set that is not read; None if it depends on files.

    Args:
        dataset: Data set, not read; None if unknown.
    """
    # folders, lists and parts may have fewer labels than the names in a data set's class
    if dataset is None or isinstance(dataset, CustomDataset) or getattr(dataset, '_indices', None):
        return None
    classes = (getattr(dataset, 'metainfo', None) or {}).get('classes')
    return len(classes) if classes else None


def count_teacher_classes(teacher: Any) -> int | None:
    """Return the number of classes in a teacher's config; None if it has none.

    Args:
        teacher: Settings of the teacher.
    """
    config = teacher.get('config') if isinstance(teacher, Mapping) else None
    if isinstance(config, (str, os.PathLike)):
        config = load_config(config, variants=teacher.get('variants'))
    if not isinstance(config, (Mapping, Config)):
        return None
    model = config if 'head' in config else config.get('model') or {}
    found = (model.get('head') or {}).get('num_classes')
    return found if isinstance(found, int) else None


def _parts_with_classes(cfg: Config) -> list[Mapping[str, Any]]:
    head = (cfg.get('model') or {}).get('head')
    return [part for part in (preprocessor_config(cfg), head) if isinstance(part, Mapping)]


def _teachers_of_this_task(cfg: Config) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield field and settings of the teachers that must have the classes of the labels."""
    for field, augment in augments_of(cfg):
        try:
            cls = find_class(BATCH_AUGMENTS, augment)
        except KeyError:  # building it raises the same
            continue
        by_label = augment.get('cam_class', 'target') == 'target'
        if is_instance_of(cls, SuperMix) or (is_instance_of(cls, TransformMix) and by_label):
            yield f'{field}.teacher', augment.get('teacher') or {}
        for place, part in parts_of_augment(field, augment):
            if place != field and _reads_labels(part):
                yield f'{place}.teacher', part['teacher']
    model = cfg.get('model') or {}
    if isinstance(model.get('teacher'), Mapping):
        yield 'model.teacher', model['teacher']
    hard_for = model.get('hard_for')
    if isinstance(hard_for, Mapping) and isinstance(hard_for.get('teacher'), Mapping):
        yield 'model.hard_for.teacher', hard_for['teacher']
    if isinstance((cfg.get('generation') or {}).get('teacher'), Mapping):
        yield 'generation.teacher', cfg.generation.teacher


def _reads_labels(part: Mapping[str, Any]) -> bool:
    """Whether a source of saliency or a label rule has a teacher of the labels' classes."""
    kind = part.get('type')
    if isinstance(kind, str):
        kind = {**SALIENCY_SOURCES.module_dict, **LABEL_RULES.module_dict}.get(kind)
    by_label = part.get('cam_class', 'target') == 'target'
    is_one = is_instance_of(kind, TeacherLabels) or (is_instance_of(kind, TeacherCAM) and by_label)
    return is_one and isinstance(part.get('teacher'), Mapping)
