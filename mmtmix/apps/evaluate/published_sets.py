"""Loaders of the published corrupted sets: CIFAR-C's arrays, and folders such as ImageNet-C's."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmpretrain.datasets import CustomDataset
from torch.utils.data import DataLoader

from mmtmix.datasets.cifar_c import CIFARC, LABELS
from mmtmix.datasets.eval_view import iter_parts
from mmtmix.evaluation.image_loader import build_image_loader

from .suite import Evaluation

_RESIZES = ('Resize', 'ResizeEdge')


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
    evaluation: Evaluation, folder: str, kind: str, severity: int
) -> DataLoader:
    """Build a loader of one kind and severity, with the pipeline of the test set.

    Images of folders are published after the resize and the crop to 224 pixels. So a resize ahead
    of a ``CenterCrop`` is left out for them.

    Args:
        evaluation: The evaluation.
        folder: Folder of the set.
        kind: Kind of corruption.
        severity: Severity.

    Raises:
        ValueError: If the set has other classes than the network.
    """
    cfg = evaluation.cfg
    parts = iter_parts(copy.deepcopy(cfg.test_dataloader.dataset))
    pipeline: list[Any] = next(list(part.pipeline) for part in parts if part.get('pipeline'))
    if Path(folder, LABELS).is_file():
        steps = [step for step in pipeline if 'LoadImageFromFile' not in str(step['type'])]
        dataset = dict(type='CIFARC', data_root=folder, kind=kind, severity=severity)
    else:
        has_crop = any(step['type'] == 'CenterCrop' for step in pipeline)
        steps = [step for step in pipeline if not (has_crop and step['type'] in _RESIZES)]
        dataset = dict(type='CustomDataset', data_root=str(Path(folder, kind, str(severity))))
    given = dict(cfg.test_dataloader, dataset=dict(dataset, pipeline=steps))
    scope = cfg.get('default_scope') or 'mmpretrain'
    wanted = Config(dict(test_dataloader=given, default_scope=scope))
    loader = build_image_loader(wanted, evaluation.num_images, evaluation.seed)
    count = evaluation.predictions.scores.shape[1]
    if isinstance(loader.dataset, CustomDataset) and len(loader.dataset.CLASSES) != count:
        raise ValueError(
            f'{folder} has {len(loader.dataset.CLASSES)} folders of classes and the network '
            f'{count} classes; give the set of its classes'
        )
    return loader
