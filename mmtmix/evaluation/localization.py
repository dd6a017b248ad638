"""How well maps of saliency point at objects whose boxes are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mmtmix.checks import check_number

THRESHOLD = 0.2
"""Share of a map's maximum from which on it counts as the object (Zhou et al., 2016)."""

Array = NDArray[np.floating]


def in_boxes(boxes: Array, height: int, width: int) -> NDArray[np.bool_]:
    """Return which pixels lie in one of an image's boxes, bool (height, width).

    Args:
        boxes: Left, top, right and bottom border in pixels, (n, 4). A pixel counts if its centre
            is inside.
        height: Height of the image in pixels.
        width: Width of the image in pixels.
    """
    rows, columns = np.arange(height) + 0.5, np.arange(width) + 0.5
    inside = np.zeros((height, width), bool)
    for left, top, right, bottom in np.reshape(boxes, (-1, 4)):
        of_rows = (rows >= top) & (rows < bottom)
        inside |= of_rows[:, None] & ((columns >= left) & (columns < right))
    return inside


def points_inside(saliency: Array, inside: NDArray[np.bool_]) -> bool:
    """Return whether the largest value lies in a box: the pointing game (Zhang et al., 2016).

    There is no tolerance around the box. A map whose largest value is at several pixels counts by
    the first one in reading order.

    Args:
        saliency: Map, (H, W).
        inside: Pixels of the boxes, (H, W).
    """
    return bool(inside.flat[int(np.argmax(saliency))])


def share_inside(saliency: Array, inside: NDArray[np.bool_]) -> float:
    """Return the share of a map's sum in the boxes (energy-based pointing, Wang et al., 2020).

    Args:
        saliency: Map of values >= 0, (H, W); a map of zeros counts as spread evenly.
        inside: Pixels of the boxes, (H, W).
    """
    total = float(saliency.sum())
    return float(saliency[inside].sum()) / total if total > 0 else float(inside.mean())


def saliency_box(saliency: Array, threshold: float = THRESHOLD) -> Array:
    """Return the box around the largest connected part of a map that exceeds a threshold.

    Args:
        saliency: Map, (H, W).
        threshold: Share of the map's maximum, 0 to 1.

    Returns:
        Left, top, right and bottom border in pixels, (4,).

    Raises:
        ValueError: If the threshold is out of its range.
    """
    check_number('threshold', threshold, 0, 1)
    parts, count = ndimage.label(saliency >= threshold * saliency.max())
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    rows, columns = ndimage.find_objects(parts)[int(np.argmax(sizes))]
    return np.array([columns.start, rows.start, columns.stop, rows.stop], float)


def best_iou(box: Array, boxes: Array) -> float:
    """Return the largest overlap of a box with one of several, intersection over union, 0 to 1.

    Args:
        box: Left, top, right and bottom border, (4,).
        boxes: Boxes of the same form, (n, 4), n >= 1.
    """
    boxes = np.reshape(boxes, (-1, 4))
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    shared = np.prod((high - low).clip(0), axis=1)
    areas = [np.prod((each[..., 2:] - each[..., :2]).clip(0), axis=-1) for each in (box, boxes)]
    union = areas[0] + areas[1] - shared
    return float(np.max(shared / np.maximum(union, np.finfo(float).tiny)))
