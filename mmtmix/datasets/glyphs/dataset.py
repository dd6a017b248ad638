"""Glyphs: icons on clutter, with the pixels of their objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS
from numpy.typing import NDArray

from mmtmix.checks import check_arguments, check_choice, check_instance, check_integer
from mmtmix.datasets.lazy_dataset import LazyDataset
from mmtmix.datasets.transforms.carry_mask import check_carried

from .bundle import FOLDER, load_bundle, load_index
from .scenes import STREAMS, Images, SceneMaker
from .settings import NUM_CLASSES, NUM_IMAGES, STYLES, Scene, split_settings


@DATASETS.register_module()
class Glyphs(LazyDataset):
    """Icons of up to 200 classes in six drawing styles, on photos and clutter; no download.

    All images are made when the data set is built, from the arguments and the seed. Image n is of
    class n modulo ``num_classes``, and depends on no other image. So the first 1,000 images of a
    set of 30,000 are those of a set of 1,000, and every prefix is balanced by class. Other splits
    have other images, other photos and, by default, other drawing styles.

    The icons come from Noto Emoji, its first version, Twemoji, Fluent Emoji, EmojiTwo and FxEmojis
    under free licences; ``mmtmix/datasets/data/glyphs`` holds them with their notices.

    An item is ``dict(img, gt_label, gt_mask, gt_bboxes)``:

    - ``img``: Image in RGB, uint8 (size, size, 3), in [0, 255].
    - ``gt_label``: Class, an int.
    - ``gt_mask``: Visible pixels of the objects, uint8 (size, size) of 0 and 1. A pixel counts if
      an object covers at least half of it, and no occluder does. ``opacity`` does not change it.
    - ``gt_bboxes``: Left, top, right and bottom border of each object's visible pixels, float32
      (n, 4). An object that is hidden has none.

    :class:`~mmtmix.datasets.CarryMask` flips and crops the mask together with the image.

    Args:
        split: Name of the split: ``'train'``, ``'val'`` or ``'test'``.
        num_images: Number of images, 1 to 1,000,000. Defaults to None:
            3,000, 1,000 or 2,000 in the three splits.
        num_classes: Number of classes, 2 to 200: the first of a fixed shuffled order. Defaults
            to 100. Pieces of clutter are of the others.
        styles: Names of the drawing styles: ``'noto'``, ``'noto-v1'``, ``'twemoji'``,
            ``'fluent-emoji-flat'``, ``'emojione'`` or ``'fxemoji'``. Defaults to None: those of
            the split, of which the test's are in no other.
        seed: Seed of the images, >= 0.
        **kwargs: Arguments of :class:`~mmtmix.datasets.glyphs.Scene`, such as ``size`` and
            ``clutter``, and of MMPretrain's ``BaseDataset`` (``pipeline``, ``indices``,
            ``test_mode``, ...); not ``data_root``, ``ann_file`` or ``data_prefix``.

    Raises:
        FileNotFoundError: If a bundled file is missing.
        TypeError: If an argument is of another type.
        ValueError: If an argument is invalid, or a bundled file is damaged.
    """

    channel_order = 'rgb'

    splits = STREAMS
    refused = (*LazyDataset.refused, 'data_root')
    refusal_cure = 'all of its images are made from its other arguments'

    def __init__(
        self,
        split: str = 'train',
        num_images: int | None = None,
        num_classes: int = NUM_CLASSES,
        styles: Sequence[str] | None = None,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        index = load_index()
        self.check_refused(kwargs)
        check_arguments('Glyphs', kwargs, Scene, BaseDataset.__init__)
        self.check_split(split)
        if num_images is not None:
            check_integer('num_images', num_images, 1, 1_000_000)
        check_integer('num_classes', num_classes, 2, len(index['classes']))
        check_integer('seed', seed, 0, 2**63 - 1)
        scene, others = split_settings(kwargs)
        self.scene = Scene(**scene)
        self.num_images = NUM_IMAGES[split] if num_images is None else num_images
        self.num_classes = num_classes
        self.styles = STYLES[split] if styles is None else styles
        check_instance('styles', self.styles, (list, tuple), 'a list of drawing styles')
        for style in self.styles:
            check_choice('styles', style, index['styles'])
        if not self.styles or len(set(self.styles)) < len(self.styles):
            raise ValueError(f'styles must be a list of different names, got {self.styles!r}')
        self.seed = seed
        self._images: Images | None = None
        metainfo = {
            'classes': tuple(index['classes'][:num_classes]),
            **(others.pop('metainfo', None) or {}),
        }
        lazy_init = others.pop('lazy_init', False)
        super().__init__(None, split, metainfo=metainfo, lazy_init=True, **others)
        check_carried(self.pipeline.transforms, type(self).__name__)
        if not lazy_init:
            self.full_init()

    @classmethod
    def find_root(cls, data_root: Any = None) -> Any:
        """Return the folder of the bundled files."""
        return FOLDER

    def open_files(self) -> int:
        """Make the images and return their number."""
        maker = SceneMaker(
            load_bundle(), self.scene, self.split or '', self.styles, self.num_classes, self.seed
        )
        self._images = maker.make(self.num_images)
        return self.num_images

    def read_item(self, position: int) -> dict:
        """Return a copy of an image, with its label and its objects.

        Args:
            position: Number of the image, 0 to the number of images - 1.
        """
        images = self._images
        assert images is not None  # opened first
        marks = images.marks[position]
        return dict(
            img=images.pixels[position].copy(),
            gt_label=position % self.num_classes,
            gt_mask=(marks > 0).astype(np.uint8),
            gt_bboxes=mark_boxes(marks, self.scene.objects),
        )

    def all_labels(self) -> NDArray[np.int64]:
        """Return the labels of all images, int64 ``(N,)``."""
        return np.arange(self.num_images) % self.num_classes


def mark_boxes(marks: NDArray[np.uint8], count: int) -> NDArray[np.float32]:
    """Return the boxes around marked pixels.

    Args:
        marks: Number of the object at each pixel, 0 where there is none, (H, W).
        count: Number of objects.

    Returns:
        Left, top, right and bottom border in pixels of each object that has pixels, float32
        (n, 4).
    """
    boxes = []
    for number in range(1, count + 1):
        rows, columns = ((marks == number).any(axis).nonzero()[0] for axis in (1, 0))
        if rows.size:
            boxes.append([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    return np.array(boxes, np.float32).reshape(-1, 4)
