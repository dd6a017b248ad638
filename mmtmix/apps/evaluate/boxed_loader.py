"""A loader of test images with the boxes and masks of their objects, where these are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmcv.transforms import CenterCrop, LoadImageFromFile, Pad, Resize
from mmengine.config import Config, ConfigDict
from mmpretrain.datasets import PackInputs, ResizeEdge
from mmpretrain.registry import DATASETS
from torch.utils.data import DataLoader

from mmtmix.datasets import Glyphs, PlaceOnCanvas
from mmtmix.datasets.eval_view import iter_parts
from mmtmix.datasets.transforms.boxes import check_names
from mmtmix.evaluation.image_loader import build_image_loader, image_loader_config, is_kind

BOXES, MASK = 'gt_bboxes', 'gt_mask'
_META = ('sample_idx', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')
_CARRY = (LoadImageFromFile, Resize, ResizeEdge, CenterCrop, Pad, PlaceOnCanvas, PackInputs)


def gives_boxes(dataset: Any) -> bool:
    """Return whether a data set adds boxes, by itself or in its pipeline.

    Args:
        dataset: Settings of a data set.
    """
    parts = list(iter_parts(dataset))
    steps = [step for part in parts for step in part.get('pipeline') or ()]
    return any(is_glyphs(part) for part in parts) or any(
        is_kind(step, PlaceOnCanvas) for step in steps
    )


def is_glyphs(part: Any) -> bool:
    """Return whether a data set is ``Glyphs``, whose samples have boxes and masks.

    Args:
        part: Settings of a data set.
    """
    kind = part.get('type')
    kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    return isinstance(kind, type) and issubclass(kind, Glyphs)


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
            if not is_kind(step, *_CARRY):
                raise ValueError(
                    f'cam cannot follow boxes through {step["type"]}; the test pipeline may have '
                    f'{", ".join(each.__name__ for each in _CARRY)}'
                )
            if is_glyphs(part) and is_kind(step, Resize, ResizeEdge, CenterCrop, Pad):
                raise ValueError(
                    f'cam cannot follow the masks of Glyphs through {step["type"]}; set its size '
                    'to that of the network instead'
                )
            if from_file and is_kind(step, PlaceOnCanvas):
                raise ValueError('PlaceOnCanvas places objects itself; leave out --boxes')
        if from_file and is_glyphs(part):
            raise ValueError('Glyphs has the boxes of its objects; leave out --boxes')


def build_boxed_loader(
    cfg: Config, num_images: int | None, seed: int, boxes: Mapping[str, Sequence] | None
) -> DataLoader:
    """Build a loader whose samples have ``gt_bboxes``, (n, 4), where their boxes are known.

    Samples of ``Glyphs`` have ``gt_mask``, too.

    Args:
        cfg: Full config.
        num_images: Number of images, balanced over the classes; None for all.
        seed: Seed of their choice.
        boxes: Boxes by the names of images; None where the pipeline adds them.

    Raises:
        ValueError: If a name is that of several images.
    """
    loader = image_loader_config(cfg)
    for part in iter_parts(loader.dataset):
        steps: list[Any] = []
        for step in part.get('pipeline') or ():
            if boxes is not None and not steps:
                steps.append(dict(type='AddBoxes', boxes=dict(boxes)))
            if is_kind(step, PackInputs):
                step = dict(step, meta_keys=(*step.get('meta_keys', _META), BOXES, MASK))
            steps.append(step)
            if is_kind(step, ResizeEdge):
                steps.append(dict(type='ScaleBoxes'))
        if steps:
            part.pipeline = [ConfigDict(step) for step in steps]
    scope = cfg.get('default_scope') or 'mmpretrain'
    given = Config(dict(test_dataloader=loader, default_scope=scope))
    built = build_image_loader(given, num_images, seed)
    if boxes is not None:
        dataset: Any = built.dataset
        check_names(boxes, (dataset.get_data_info(number) for number in range(len(dataset))))
    return built
