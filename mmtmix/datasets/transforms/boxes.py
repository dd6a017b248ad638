"""Boxes of the objects in test images, carried through a pipeline."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS

from mmtmix.checks import check_instance

CUB_FILE = 'bounding_boxes.txt'
TINY_FILE = 'val_annotations.txt'
BOX_FORM = '{"NAME.jpg": [left, top, right, bottom], ...} in pixels of the image file'


@TRANSFORMS.register_module()
class AddBoxes(BaseTransform):
    """Adds the boxes of an image's objects, in the form that MMCV's resizes and crops change.

    An image without boxes gets an empty array. It stands ahead of the transform that loads the
    image.

    **Required keys:** ``img_path``, or ``sample_idx`` where images come from memory. **Added
    key:** ``gt_bboxes``, float32 (n, 4): left, top, right and bottom border in pixels.

    Args:
        boxes: Boxes (4,) or (n, 4) of each image, by its path or the end of its path. An end that
            several images share gives all of them these boxes, which :func:`check_names` refuses.
            Images in memory have their number in the data set as name.

    Raises:
        TypeError: If ``boxes`` is no mapping.
    """

    def __init__(self, boxes: Mapping[str, Sequence]):
        check_instance('boxes', boxes, Mapping, f'a dict {BOX_FORM}')
        self.boxes = boxes

    def transform(self, results: dict) -> dict:
        """Add the boxes.

        Args:
            results: Sample with ``img_path`` or ``sample_idx``.
        """
        key = _key_of(self.boxes, _name_of(results))
        found = () if key is None else self.boxes[key]
        boxes = np.asarray(found, np.float32).reshape(-1, 4)
        return {**results, 'gt_bboxes': boxes}

    def __repr__(self) -> str:
        return f'{type(self).__name__}({len(self.boxes)} images)'


@TRANSFORMS.register_module()
class ScaleBoxes(BaseTransform):
    """Scales boxes as a ``ResizeEdge`` ahead of it has scaled the image, which leaves them alone.

    **Required keys:** ``gt_bboxes`` and ``scale_factor``. **Modified key:** ``gt_bboxes``.
    """

    def transform(self, results: dict) -> dict:
        """Scale the boxes.

        Args:
            results: Sample with ``gt_bboxes`` and ``scale_factor``, of width and height.
        """
        if 'gt_bboxes' not in results:
            return results
        scale = np.tile(np.asarray(results['scale_factor'], np.float32), 2)
        return {**results, 'gt_bboxes': results['gt_bboxes'] * scale}

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


def check_names(boxes: Mapping[str, Sequence], images: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a name that several images have, such as ``x.jpg`` for ``a/x.jpg`` and ``b/x.jpg``.

    Args:
        boxes: Boxes by the names of images, as for :class:`AddBoxes`.
        images: What a data set lists of each image, with ``img_path`` or ``sample_idx``.

    Raises:
        ValueError: If there is one; it is named with two of its images.
    """
    owners: dict[str, str] = {}
    for image in images:
        name = _name_of(image)
        key = _key_of(boxes, name)
        if key is not None and owners.setdefault(key, name) != name:
            raise ValueError(
                f'the boxes of {key!r} fit several images, {owners[key]} and {name}; give each '
                'a name with its folder, such as "birds/x.jpg"'
            )


def _name_of(image: Mapping[str, Any]) -> str:
    return str(image.get('img_path', image.get('sample_idx')))


def _key_of(boxes: Mapping[str, Sequence], name: str) -> str | None:
    """Return the longest end of an image's path that has boxes; None if there is none."""
    parts = Path(name).parts
    ends = (name, *('/'.join(parts[start:]) for start in range(len(parts))))
    return next((end for end in ends if end in boxes), None)


def read_boxes(path: str | os.PathLike) -> dict[str, list]:
    """Read boxes by the names of their images.

    Args:
        path: Path of a JSON file of :data:`BOX_FORM`, with one box or a list of boxes per image.
            Or ``bounding_boxes.txt`` of CUB-200-2011, or ``val_annotations.txt`` of
            Tiny-ImageNet.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it has another form; with the name or the line.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'file of boxes {str(path)!r} does not exist; {BOX_FORM}')
    if path.name == CUB_FILE:
        names = dict(_rows(path.with_name('images.txt'), 2))
        found: dict[str, Any] = {}
        for number, *place in _rows(path, 5):
            left, top, width, height = map(float, place)
            found[names[number]] = [left, top, left + width, top + height]
    elif path.name == TINY_FILE:
        found = {name: [*map(float, place)] for name, _, *place in _rows(path, 6)}
    else:
        found = _read_json(path)
    for name, boxes in found.items():
        _check_boxes(f'{path}: the boxes of {name!r}', boxes)
    return found


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{path} is no JSON ({error}); it must hold {BOX_FORM}') from error
    if not isinstance(found, dict) or not found:
        raise ValueError(f'{path} must hold {BOX_FORM}, got {str(found)[:80]}')
    return found


def _rows(path: Path, columns: int) -> list[list[str]]:
    lines = path.read_text(encoding='utf-8').splitlines()
    rows = [line.split() for line in lines]
    for number, row in enumerate(rows, 1):
        if len(row) != columns:
            raise ValueError(f'{path}, line {number}: {columns} columns expected, got {row}')
    return rows


def _check_boxes(name: str, boxes: Any) -> None:
    try:
        values = np.asarray(boxes, float).reshape(-1, 4)
    except (ValueError, TypeError) as error:
        raise ValueError(f'{name} must be [left, top, right, bottom], got {boxes!r}') from error
    is_box = np.isfinite(values).all() and (values[:, 2:] > values[:, :2]).all()
    if not len(values) or not is_box:
        raise ValueError(
            f'{name} must be [left, top, right, bottom] with left < right and top < bottom, got '
            f'{boxes!r}'
        )
