"""Batches of several views of each image."""

from __future__ import annotations

from typing import Any

import torch
from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class ViewsPreprocessor(ClsDataPreprocessor):
    """MMPretrain's data preprocessor, for images that come in several views.

    Images without views, as in validation, are treated as by MMPretrain.

    Args:
        **kwargs: Arguments of ``ClsDataPreprocessor`` but batch augments.

    Raises:
        ValueError: If there are batch augments.
    """

    takes_augments = False

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        if self.batch_augments is not None:
            raise ValueError(
                'batch augments mix images and not views of one; leave out model.train_cfg or use '
                'another data_preprocessor than ViewsPreprocessor'
            )

    def forward(self, data: dict, training: bool = False) -> dict:
        """Normalise.

        Args:
            data: Batch with ``inputs`` (N, V, C, H, W), or a list of N tensors (V, C, H, W), or
                images without V.
            training: Argument of ``ClsDataPreprocessor``.

        Returns:
            Dict with ``inputs`` (V * N, C, H, W), the first view of all images, then the second,
            ..., and N ``data_samples``.

        Raises:
            ValueError: If views differ in size.
        """
        inputs = data['inputs']
        if isinstance(inputs, (list, tuple)) and inputs and inputs[0].dim() == 4:
            shapes = {tuple(views.shape) for views in inputs}
            if len(shapes) > 1:
                raise ValueError(
                    f'views of images must have one size to make a batch, got {sorted(shapes)}; '
                    'add a crop or resize to the pipeline'
                )
            inputs = torch.stack(list(inputs))
        if isinstance(inputs, Tensor) and inputs.dim() == 5:
            inputs = inputs.transpose(0, 1).flatten(0, 1)
        return super().forward({**data, 'inputs': inputs}, training)
