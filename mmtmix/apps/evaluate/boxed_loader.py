"""A loader of test images with the boxes of their objects, where the pipeline leaves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmcv.transforms import CenterCrop, LoadImageFromFile, Pad, Resize
from mmengine.config import Config, ConfigDict
from mmpretrain.datasets import PackInputs, ResizeEdge
from mmpretrain.registry import TRANSFORMS
from torch.utils.data import DataLoader

from mmtmix.datasets import PlaceOnCanvas
from mmtmix.datasets.eval_view import iter_parts
from mmtmix.evaluation.image_loader import build_image_loader, image_loader_config

BOXES = 'gt_bboxes'
_META = ('sample_idx', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')
_CARRY = (LoadImageFromFile, Resize, ResizeEdge, CenterCrop, Pad, PlaceOnCanvas, PackInputs)


def gives_boxes(dataset: Any) -> bool:
    """Return whether a data set's own pipeline adds boxes.

    Args:
        dataset: Settings of a data set.
    """
    kinds = [_kind(step) for part in iter_parts(dataset) for step in part.get('pipeline') or ()]
    return any(isinstance(kind, type) and issubclass(kind, PlaceOnCanvas) for kind in kinds)


def check_boxed_pipeline(dataset: Any, from_file: bool) -> None:
    """Refuse transforms that may move an object without its box.

    Args:
        dataset: Settings of the test set.
        from_file: Whether boxes are of the images as they are in their files.

    Raises:
        ValueError: If there is one; it is named.
    """
    for part in iter_parts(dataset):
        for step in part.get('pipeline') or ():
            kind = _kind(step)
            if not (isinstance(kind, type) and issubclass(kind, _CARRY)):
                raise ValueError(
                    f'cam cannot follow boxes through {step["type"]}; the test pipeline may have '
                    f'{", ".join(each.__name__ for each in _CARRY)}'
                )
            if from_file and issubclass(kind, PlaceOnCanvas):
                raise ValueError('PlaceOnCanvas places objects itself; leave out --boxes')


def build_boxed_loader(
    cfg: Config, num_images: int | None, seed: int, boxes: Mapping[str, Sequence] | None
) -> DataLoader:
    """Build a loader whose samples have ``gt_bboxes``, (n, 4), where their boxes are known.

    Args:
        cfg: Full config.
        num_images: Number of images, balanced over the classes; None for all.
        seed: Seed of their choice.
        boxes: Boxes by the names of images; None where the pipeline adds them.
    """
    loader = image_loader_config(cfg)
    for part in iter_parts(loader.dataset):
        steps: list[Any] = []
        for step in part.get('pipeline') or ():
            kind = _kind(step)
            if boxes is not None and not steps:
                steps.append(dict(type='AddBoxes', boxes=dict(boxes)))
            if issubclass(kind, PackInputs):
                step = dict(step, meta_keys=(*step.get('meta_keys', _META), BOXES))
            steps.append(step)
            if issubclass(kind, ResizeEdge):
                steps.append(dict(type='ScaleBoxes'))
        if steps:
            part.pipeline = [ConfigDict(step) for step in steps]
    scope = cfg.get('default_scope') or 'mmpretrain'
    given = Config(dict(test_dataloader=loader, default_scope=scope))
    return build_image_loader(given, num_images, seed)


def _kind(step: Any) -> Any:
    kind = step['type']
    return TRANSFORMS.get(kind) if isinstance(kind, str) else kind
