"""Loaders of the published corrupted sets: CIFAR-C's arrays, and folders such as ImageNet-C's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import CenterCrop, LoadImageFromFile, Resize
from mmengine.config import Config
from mmpretrain.datasets import CustomDataset, ResizeEdge
from torch.utils.data import DataLoader

from mmtmix.datasets.cifar_c import CIFARC, LABELS
from mmtmix.datasets.class_names import ClassNames, compare_names, iter_names
from mmtmix.datasets.eval_view import iter_parts
from mmtmix.evaluation.identity import content_digest
from mmtmix.evaluation.image_loader import (
    build_image_loader,
    image_loader_config,
    is_kind,
    labels_of,
)
from mmtmix.models.teachers.channel_order import ChannelOrder
from mmtmix.models.teachers.loaded_order import dataset_order
from mmtmix.utils import file_digest

from .suite import Evaluation

ARRAYS, FOLDERS = 'arrays', 'folders'
"""Forms of published sets: that of CIFAR-10-C, and that of ImageNet-C."""

_DIGITS = 16
# red and blue change places, whatever the first one's order is
_SWAP = (dict(type='NumpyToPIL', to_rgb=True), dict(type='PILToNumpy'))


def describe_published(
    folder: str | os.PathLike | None, kinds: Sequence[str], severities: Sequence[int]
) -> dict[str, Any] | None:
    """Return the identity of a published set, which does not depend on its folder.

    Args:
        folder: Folder of the set; None where corruptions are drawn here.
        kinds: Kinds of corruption.
        severities: Severities.

    Returns:
        ``form`` and the digest of ``labels.npy``, or ``form``, the number of ``classes`` and the
        digest of their names.
    """
    if folder is None:
        return None
    if (labels := Path(folder, LABELS)).is_file():
        return dict(form=ARRAYS, labels=file_digest(labels, _DIGITS))
    first = Path(folder, kinds[0], str(severities[0]))
    names = sorted(path.name for path in first.iterdir()) if first.is_dir() else []
    return dict(form=FOLDERS, classes=len(names), names=content_digest(names))


def check_published(
    folder: str | os.PathLike, kinds: Sequence[str], severities: Sequence[int]
) -> None:
    """Refuse a folder that lacks a kind or a severity.

    Args:
        folder: Folder of ``labels.npy`` and ``KIND.npy``, or of ``KIND/SEVERITY/CLASS/IMAGE``.
        kinds: Kinds of corruption.
        severities: Severities.

    Raises:
        FileNotFoundError: If something is missing; it is named.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f'--corrupted-set {str(folder)!r} is no folder')
    if (folder / LABELS).is_file():
        wanted = [f'{kind}.npy' for kind in kinds]
    else:
        wanted = [f'{kind}/{severity}' for kind in kinds for severity in severities]
    missing = [name for name in wanted if not (folder / name).exists()]
    if missing:
        raise FileNotFoundError(
            f'--corrupted-set {folder} lacks {", ".join(missing[:4])}. It must hold {LABELS} and '
            'KIND.npy as CIFAR-10-C, or KIND/SEVERITY/CLASS/IMAGE as ImageNet-C, or choose by '
            f'--kinds and --severities. {CIFARC.data_advice.format(folder=folder)}'
        )


def build_published_loader(
    evaluation: Evaluation,
    folder: str,
    kind: str,
    severity: int,
    channel_order: str | None = None,
) -> DataLoader:
    """Build a loader of one kind and severity, with the pipeline of the test set.

    Images of folders are published after the resize and the crop to 224 pixels. So a resize ahead
    of a ``CenterCrop`` is left out for them. Red and blue are swapped where the set comes in
    another order of channels than the test set.

    Args:
        evaluation: The evaluation.
        folder: Folder of the set.
        kind: Kind of corruption.
        severity: Severity.
        channel_order: Order in which the test pipeline gives the channels, ``'rgb'`` or
            ``'bgr'``; None takes it from the config.

    Raises:
        ValueError: If the order of the channels cannot be determined.
    """
    cfg = evaluation.cfg
    settings = image_loader_config(cfg)
    wanted = ChannelOrder(channel_order) if channel_order else dataset_order(settings.dataset)
    pipelines = (part.get('pipeline') for part in iter_parts(settings.dataset))
    steps: list[Any] = list(next((each for each in pipelines if each), ()))
    if Path(folder, LABELS).is_file():
        steps = [step for step in steps if not is_kind(step, LoadImageFromFile)]
        dataset = dict(type='CIFARC', data_root=folder, kind=kind, severity=severity)
    else:
        if any(is_kind(step, CenterCrop) for step in steps):
            steps = [step for step in steps if not is_kind(step, Resize, ResizeEdge)]
        test_set: Any = evaluation.loader.dataset
        if 'img' in test_set.get_data_info(0):  # nothing loads files there
            steps.insert(0, dict(type='LoadImageFromFile'))
        dataset = dict(type='CustomDataset', data_root=str(Path(folder, kind, str(severity))))
    steps = _in_order(dataset, steps, wanted)
    settings.dataset = dict(dataset, pipeline=steps)
    scope = cfg.get('default_scope') or 'mmpretrain'
    given = Config(dict(test_dataloader=settings, default_scope=scope))
    return build_image_loader(given, evaluation.num_images, evaluation.seed)


def _in_order(dataset: dict[str, Any], steps: list[Any], wanted: ChannelOrder) -> list[Any]:
    """Return a pipeline whose images have the order of channels of the test images."""
    differs = dataset_order(dict(dataset, pipeline=steps)).differs(wanted)
    if differs is None:
        raise ValueError(
            f'the channel order of the test images is unknown ({wanted.reason}), and those of '
            f'{dataset["data_root"]} may have another: give --channel-order rgb or bgr'
        )
    if not differs:
        return steps
    loads = [at for at, step in enumerate(steps, 1) if is_kind(step, LoadImageFromFile)]
    place = loads[-1] if loads else 0
    return [*steps[:place], *_SWAP, *steps[place:]]


def compare_classes(evaluation: Evaluation, dataset: Any, folder: str) -> tuple[str, ...]:
    """Compare the labels of a published set with those of the test set.

    Args:
        evaluation: The evaluation.
        dataset: Data set of one kind and severity.
        folder: Folder of the set.

    Returns:
        Notes about what could not be compared.

    Raises:
        ValueError: If a class has another label in the set, or it has another number of classes.
    """
    test_set = evaluation.loader.dataset
    if not isinstance(dataset, CustomDataset):
        return _compare_labels(labels_of(test_set), labels_of(dataset), folder)
    count = evaluation.predictions.scores.shape[1]
    if len(dataset.CLASSES) != count:
        raise ValueError(
            f'{folder} has {len(dataset.CLASSES)} folders of classes and the network {count} '
            'classes; give the set of its classes'
        )
    ours = next(iter_names(test_set, 'test_dataloader'), None)
    if ours is None and evaluation.classifier.classes:
        ours = ClassNames('the checkpoint', tuple(evaluation.classifier.classes))
    (theirs,) = iter_names(dataset, '--corrupted-set')
    are_shared = ours is not None and set(theirs.folders) & {*ours.classes, *ours.folders}
    if ours is None or not are_shared:
        return (
            'The folders of the corrupted set have other names than the classes of the test set: '
            'labels count the folders in the order of their names, and are compared as numbers',
        )
    compare_names(ours, theirs)
    return ()


def _compare_labels(ours: Any, theirs: Any, folder: str) -> tuple[str, ...]:
    """Compare the labels of arrays, which have no names, with those of the same images."""
    if np.array_equal(ours, theirs):
        return ()
    if len(ours) == len(theirs):
        pairs = set(zip(ours.tolist(), theirs.tolist(), strict=True))
        if len(pairs) == len({one for one, _ in pairs}) == len({two for _, two in pairs}):
            one, two = min(pair for pair in pairs if pair[0] != pair[1])
            raise ValueError(
                f'the class with label {one} in the test set has label {two} in {folder}; give '
                'the test set the classes in the order of the published set'
            )
    return (
        'The labels of the corrupted set are not those of the test set image by image, so '
        'whether both number the classes alike is not checked',
    )
