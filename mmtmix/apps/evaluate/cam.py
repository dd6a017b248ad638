"""The suite ``cam``: whether the network's own maps point at objects whose boxes are known.

The map is that of the true class: the exact CAM where there is one, and Grad-CAM elsewhere. The
pointing game is that of Zhang et al. (2016) without tolerance. The box around a map at 20 % of
its maximum, and 50 % of overlap as a success, are those of Zhou et al. (2016). Where the pixels of
the objects are known, as in Glyphs, the largest value and the sum are compared with them, too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmpretrain.registry import DATASETS
from numpy.typing import NDArray

from mmtmix.checks import check_number
from mmtmix.datasets import TinyImageNet
from mmtmix.datasets.eval_view import iter_parts
from mmtmix.datasets.transforms.boxes import CUB_FILE, TINY_FILE, read_boxes
from mmtmix.evaluation.image_loader import image_loader_config
from mmtmix.evaluation.localization import (
    best_iou,
    in_boxes,
    points_inside,
    saliency_box,
    share_inside,
)
from mmtmix.evaluation.trained_classifier import labels_in
from mmtmix.functional import resize_map
from mmtmix.utils import file_digest
from mmtmix.visualization import draw_pictures

from .boxed_loader import BOXES, MASK, build_boxed_loader, check_boxed_pipeline, gives_boxes
from .saliency import saliency_of
from .suite import Evaluation, Found, Suite, shown_on_stderr

_SUCCESS = 0.5
_SHOWN = 6
_MISSING = (
    'cam needs the boxes of the objects, and {name} has none. Give --boxes FILE.json with '
    '{{"NAME.jpg": [left, top, right, bottom], ...}} in pixels of the image file (images in '
    'memory: their number as name), or leave out the suite cam'
)


def settings(args: Any) -> dict[str, Any]:
    """Return the settings of parsed arguments."""
    boxes = args.boxes
    # a digest, since files of one name may differ; `check` refuses a missing file
    digest = file_digest(boxes, 64) if boxes is not None and Path(boxes).is_file() else None
    return dict(boxes_sha256=digest, boxes_file=boxes, threshold=args.cam_threshold)


def check(chosen: Mapping[str, Any], cfg: Config) -> None:
    """Refuse images without boxes, and a pipeline that moves objects without their boxes."""
    check_number('--cam-threshold', chosen['threshold'], 0, 1)
    dataset = image_loader_config(cfg).dataset
    boxes = find_boxes(chosen, dataset)
    if boxes is not None:
        read_boxes(boxes)
    elif not gives_boxes(dataset):
        raise ValueError(_MISSING.format(name=dataset.type))
    check_boxed_pipeline(dataset, boxes is not None)


def run(evaluation: Evaluation, chosen: Mapping[str, Any]) -> Found:
    """Compare the maps with the boxes."""
    classifier = evaluation.classifier
    boxes = find_boxes(chosen, image_loader_config(evaluation.cfg).dataset)
    loader = build_boxed_loader(
        evaluation.cfg,
        evaluation.num_images,
        evaluation.seed,
        None if boxes is None else read_boxes(boxes),
    )
    teacher = saliency_of(classifier)
    rows: list[tuple[float, ...]] = []
    of_masks: list[tuple[float, ...]] = []
    left_out = 0
    for batch in shown_on_stderr(loader, 'cam'):
        inputs, samples = classifier.prepare(batch)
        labels = labels_in(samples).to(inputs.device)
        _, maps = teacher.saliency(inputs, labels)
        maps = _at_size(maps, inputs).cpu().numpy()[:, 0]
        found = [_visible(sample.get(BOXES, ()), inputs.shape[-2:]) for sample in samples]
        if not rows and evaluation.pictures is not None:
            _draw(evaluation, inputs, maps, found, labels.tolist(), chosen['threshold'])
        masks = [sample.get(MASK) for sample in samples]
        for saliency, of_image, mask in zip(maps, found, masks, strict=True):
            if not len(of_image):
                left_out += 1
                continue
            inside = in_boxes(of_image, *saliency.shape)
            overlap = best_iou(saliency_box(saliency, chosen['threshold']), of_image)
            is_hit = points_inside(saliency, inside)
            shares = share_inside(saliency, inside), float(inside.mean())
            rows.append((is_hit, overlap, overlap >= _SUCCESS, *shares))
            if mask is not None:
                visible = np.asarray(mask) > 0
                of_masks.append(_in_mask(saliency, visible))
    if not rows:
        raise ValueError(
            f'no image of the test set has a box in it: none of the names in {boxes} is one of '
            'theirs, or all boxes lie outside of the crop'
        )
    names = ('pointing_game', 'box_iou', 'box_accuracy', 'share_inside', 'box_area')
    means = 100 * np.mean(np.array(rows, float), axis=0)
    figures = dict(zip(names, map(float, means), strict=True))
    if of_masks:
        of_mask = ('mask_pointing_game', 'share_in_mask', 'mask_area')
        means = 100 * np.mean(np.array(of_masks, float), axis=0)
        figures.update(zip(of_mask, map(float, means), strict=True))
    details = dict(images=len(rows), without_box=left_out, saliency=teacher.saliency_source)
    notes = (f'{left_out} images without a box are left out',) if left_out else ()
    return Found(figures, details, notes)


def _in_mask(saliency: Any, visible: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return whether a map points at an object, and the shares of the map and the image there."""
    share = share_inside(saliency, visible)
    return points_inside(saliency, visible), share, float(visible.mean())


def find_boxes(chosen: Mapping[str, Any], dataset: Any) -> str | None:
    """Return the file of the boxes: the given one, or that of CUB-200-2011 or Tiny-ImageNet.

    Args:
        chosen: Settings of the suite.
        dataset: Settings of the test set.
    """
    if chosen['boxes_file'] is not None:
        return str(chosen['boxes_file'])
    for part in iter_parts(dataset):
        kind = part.get('type')
        kind = DATASETS.get(kind) if isinstance(kind, str) else kind
        root = part.get('data_root')
        if not root or not isinstance(kind, type):
            continue
        if issubclass(kind, TinyImageNet):
            path = TinyImageNet.find_root(root) / 'val' / TINY_FILE
        elif kind.__name__ == 'CUB':
            path = Path(root, CUB_FILE)
        else:
            continue
        if path.is_file():
            return os.fspath(path)
    return None


def _at_size(maps: Any, inputs: Any) -> Any:
    """Return maps at the size of the images, (N, 1, H, W)."""
    height, width = inputs.shape[-2:]
    if height == width:
        return resize_map(maps, height)
    from torch.nn.functional import interpolate

    return interpolate(maps, (height, width), mode='bilinear', align_corners=False)


def _visible(boxes: Any, size: Any) -> NDArray[np.floating]:
    """Return the parts of boxes inside an image; those outside are left out."""
    height, width = size
    found = np.asarray(boxes, float).reshape(-1, 4).clip(0, [width, height, width, height])
    return found[((found[:, 2:] - found[:, :2]) >= 1).all(axis=1)]


def _draw(
    evaluation: Evaluation, inputs: Any, maps: Any, boxes: Any, labels: list[int], threshold: float
) -> None:
    pictures = evaluation.to_pictures(inputs[:_SHOWN])
    found = [saliency_box(each, threshold)[None] for each in maps[:_SHOWN]]
    table = [[picture] * 3 for picture in pictures]
    figure = draw_pictures(
        table,
        evaluation.names(labels[:_SHOWN]),
        ['known boxes', 'saliency', 'box of the saliency'],
        [[None, maps[number], maps[number]] for number in range(len(pictures))],
        [[boxes[number], boxes[number], found[number]] for number in range(len(pictures))],
    )
    evaluation.save(figure, 'cam.png')


SUITE = Suite(
    settings, check, run, {'pointing_game': 'pointing game', 'box_iou': 'box IoU'}
)  # fmt: skip
