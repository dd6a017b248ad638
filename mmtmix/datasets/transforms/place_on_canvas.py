"""Pictures away from the centre."""

from __future__ import annotations

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS

from mmtmix.checks import check_integer


@TRANSFORMS.register_module()
class PlaceOnCanvas(BaseTransform):
    """Shrinks an image and puts it at a random position on a black canvas.

    It shows how much a method depends on pictures that are centred and fill the frame. The
    position depends only on the image's number in its data set. So it is the same in every epoch
    and run, as the position of an object in a photograph.

    **Required keys:** ``img``, uint8 (H, W) or (H, W, C), and ``sample_idx``. **Modified keys:**
    ``img``, (size, size) or (size, size, C), and ``img_shape``. **Added key:** ``gt_bboxes``,
    float32 (1, 4): left, top, right and bottom border of the image on the canvas in pixels, which
    MMCV's resizes and crops carry along.

    Args:
        side: Side of the shrunk image in pixels, 1 to ``size``.
        size: Side of the canvas in pixels, >= 1.
        seed: Seed of the positions, >= 0.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """

    def __init__(self, side: int, size: int, seed: int = 0):
        check_integer('size', size, 1)
        check_integer('side', side, 1, size, cure='the canvas is no larger')
        check_integer('seed', seed, 0)
        self.side = side
        self.size = size
        self.seed = seed

    def transform(self, results: dict) -> dict:
        """Place the image.

        Args:
            results: Sample with ``img`` and ``sample_idx``.
        """
        image = results['img']
        channels = image.shape[2:]
        image = mmcv.imresize(image, (self.side, self.side), interpolation='area')
        generator = np.random.default_rng((self.seed, results['sample_idx']))
        top, left = generator.integers(self.size - self.side + 1, size=2)
        canvas = np.zeros((self.size, self.size, *channels), image.dtype)
        # one channel comes back without its axis
        canvas[top : top + self.side, left : left + self.side] = image.reshape(
            self.side, self.side, *channels
        )
        box = np.array([[left, top, left + self.side, top + self.side]], np.float32)
        return {**results, 'img': canvas, 'img_shape': canvas.shape[:2], 'gt_bboxes': box}

    def __repr__(self) -> str:
        return f'{type(self).__name__}(side={self.side}, size={self.size}, seed={self.seed})'
