"""Pictures of predictions, and augmented tests, as MMPretrain's tools/test.py has them."""

from __future__ import annotations

from copy import deepcopy

from mmengine.config import Config, ConfigDict


def draw_predictions(cfg: Config, folder: str, interval: int) -> None:
    """Make a test write pictures of its images with label and prediction.

    Args:
        cfg: Config, changed in place.
        folder: Folder of the pictures.
        interval: Number of images from one picture to the next, >= 1.
    """
    hook = dict(type='mmpretrain.PredictionPicturesHook', enable=True)
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
        flips = [dict(type='RandomFlip', prob=share) for share in (0.0, 1.0)]
        views = dict(type='TestTimeAug', transforms=[flips, [pipeline[-1]]])
        cfg.tta_pipeline = [*deepcopy(pipeline[:-1]), views]
    model = cfg.get('tta_model') or dict(type='mmpretrain.AverageClsScoreTTA')
    cfg.model = ConfigDict(**model, module=cfg.model)
    dataset.pipeline = cfg.tta_pipeline
