"""Pictures of predictions that show files, grey images and small ones as they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from mmpretrain.engine import VisualizationHook
from mmpretrain.registry import HOOKS
from torch import Tensor

from mmtmix.models.teachers import dataset_order

_LEAST_SIDE = 224  # pixels; on smaller pictures no text is readable


@HOOKS.register_module()
class PredictionPicturesHook(VisualizationHook):
    """MMPretrain's ``VisualizationHook``, with images in natural colours and a readable size.

    MMPretrain draws what the loader gives as RGB, and OpenCV loads BGR. It draws grey images in
    false colours, and an image of 28 pixels is smaller than the text on it.

    Args:
        **kwargs: Arguments of ``VisualizationHook``: ``enable``, ``interval``, ``out_dir``, ...
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self._swaps: dict[str, bool] = {}

    def after_val_iter(self, runner: Any, batch_idx: int, data_batch: dict, outputs: Any) -> None:
        """Draw images of a batch of the validation; see ``VisualizationHook``."""
        if self.enable:
            drawn = self._drawable(runner, 'val_dataloader', data_batch)
            super().after_val_iter(runner, batch_idx, drawn, outputs)

    def after_test_iter(self, runner: Any, batch_idx: int, data_batch: dict, outputs: Any) -> None:
        """Draw images of a batch of the test; see ``VisualizationHook``."""
        if self.enable:
            drawn = self._drawable(runner, 'test_dataloader', data_batch)
            super().after_test_iter(runner, batch_idx, drawn, outputs)

    def _drawable(self, runner: Any, loader: str, batch: dict) -> dict:
        """Return a batch whose images MMPretrain draws as they are."""
        if loader not in self._swaps:
            settings = runner.cfg.get(loader)
            data = settings.get('dataset') if isinstance(settings, Mapping) else None
            self._swaps[loader] = dataset_order(data).name == 'bgr'
        images = batch['inputs']
        if isinstance(images[0], (list, tuple)) or images[0].dim() > 3:
            images = images[0]  # --tta: the first view of all images, then the second, ...
        return {**batch, 'inputs': list(natural_images(images, self._swaps[loader]))}


def natural_images(images: Iterable[Tensor], is_bgr: bool) -> Iterable[Tensor]:
    """Yield images in RGB, with sides of at least 224 pixels.

    Args:
        images: Images (C, H, W), C 1 or 3.
        is_bgr: Whether red and blue are exchanged.

    Yields:
        Images (3, H', W'), enlarged by a whole number.
    """
    for image in images:
        image = image.flip(0) if is_bgr and len(image) == 3 else image
        factor = math.ceil(_LEAST_SIDE / min(image.shape[1:]))
        for axis in (1, 2):
            image = image.repeat_interleave(factor, dim=axis)
        yield image.expand(3, -1, -1)
