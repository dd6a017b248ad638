"""Clean batches as a task's data preprocessor makes them, outside of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmpretrain.registry import MODELS
from torch import Tensor

from mmtmix.checks import check_integer
from mmtmix.models.teachers import preprocessor_config


class TaskPreprocessor:
    """Normalises a data set's items, without batch augments.

    Args:
        settings: Settings of the task's data preprocessor.
        num_classes: Number of classes of the task, >= 1.
        device: Device of the batches.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(self, settings: Mapping[str, Any], num_classes: int, device: str | torch.device):
        check_integer('num_classes', num_classes, 1)
        own = dict(batch_augments=None, to_onehot=True, num_classes=num_classes)
        settings = {'type': 'ClsDataPreprocessor', **settings, **own}
        self.module = MODELS.build(settings).to(device)

    def __call__(self, items: Sequence[dict]) -> tuple[Tensor, Tensor]:
        """Make a batch.

        Args:
            items: Items of the data set.

        Returns:
            Normalised images (N, C, H, W) and one-hot labels (N, num_classes).

        Raises:
            ValueError: If the images differ in size.
        """
        shapes = {tuple(item['inputs'].shape) for item in items}
        if len(shapes) > 1:
            raise ValueError(
                f'the pipeline gives images of different sizes {sorted(shapes)}, which make no '
                'batch; add a resize to it'
            )
        data = self.module(default_collate(items))
        scores = torch.stack([sample.gt_score for sample in data['data_samples']])
        return data['inputs'], scores.float()


def count_classes(cfg: Config, dataset: Any) -> int:
    """Return the number of a task's classes, from the preprocessor, the head or the data set.

    Args:
        cfg: Config of the task.
        dataset: Data set of the task, built.

    Raises:
        ValueError: If none of them has it.
    """
    found = (
        (preprocessor_config(cfg) or {}).get('num_classes')
        or (cfg.model.get('head') or {}).get('num_classes')
        or len(dataset.metainfo.get('classes') or ())
    )
    if not found:
        raise ValueError(
            'the number of classes is unknown; set data_preprocessor=dict(num_classes=...)'
        )
    return int(found)
