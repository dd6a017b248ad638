"""Pictures of predictions, and augmented tests, as MMPretrain's tools/test.py has them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from mmengine.config import Config, ConfigDict
from mmpretrain.engine import VisualizationHook
from mmpretrain.registry import HOOKS

from mmtmix.models.teachers import dataset_order


@HOOKS.register_module()
class PredictionPicturesHook(VisualizationHook):
    """MMPretrain's pictures of predictions, in natural colours.

    MMPretrain draws what the loader gives as RGB, and OpenCV loads BGR.

    Args:
        is_bgr: Whether the test images come in BGR.
        **kwargs: Arguments of ``VisualizationHook``.
    """

    def __init__(self, is_bgr: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.is_bgr = is_bgr

    def after_test_iter(self, runner: Any, batch_idx: int, data_batch: dict, outputs: Any) -> None:
        """Draw the images of a batch; see ``VisualizationHook``."""
        if self.is_bgr:
            swapped = [image.flip(0) for image in data_batch['inputs']]
            data_batch = {**data_batch, 'inputs': swapped}
        super().after_test_iter(runner, batch_idx, data_batch, outputs)


def draw_predictions(cfg: Config, folder: str, interval: int) -> None:
    """Make a test write pictures of its images with label and prediction.

    Args:
        cfg: Config, changed in place.
        folder: Folder of the pictures.
        interval: Number of images from one picture to the next, >= 1.
    """
    is_bgr = dataset_order((cfg.get('test_dataloader') or {}).get('dataset')).name == 'bgr'
    hook = dict(type='mmpretrain.PredictionPicturesHook', enable=True, is_bgr=is_bgr)
    hooks = cfg.setdefault('default_hooks', ConfigDict())
    hooks['visualization'] = dict(hook, out_dir=folder, interval=interval)


def augment_tests(cfg: Config) -> None:
    """Average the scores of several views of each test image.

    They are those of ``tta_pipeline`` and ``tta_model``, or else the image and its mirror image.

    Args:
        cfg: Config, changed in place.

    Raises:
        ValueError: If the test has no pipeline of its own to augment.
    """
    dataset = cfg.test_dataloader.dataset
    pipeline = dataset.get('pipeline')
    if not pipeline:
        raise ValueError(
            f'--tta changes test_dataloader.dataset.pipeline, and {dataset.get("type")!r} has '
            'none; give a test set with a pipeline that ends in PackInputs'
        )
    if 'tta_pipeline' not in cfg:
        flips = [dict(type='RandomFlip', prob=share) for share in (1.0, 0.0)]
        views = dict(type='TestTimeAug', transforms=[flips, [pipeline[-1]]])
        cfg.tta_pipeline = [*deepcopy(pipeline[:-1]), views]
    model = cfg.get('tta_model') or dict(type='mmpretrain.AverageClsScoreTTA')
    cfg.model = ConfigDict(**model, module=cfg.model)
    dataset.pipeline = cfg.tta_pipeline
