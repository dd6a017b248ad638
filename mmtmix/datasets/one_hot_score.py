"""Scores for samples of hard labels that are trained beside mixed samples."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS

from mmtmix.checks import check_integer


@TRANSFORMS.register_module()
class OneHotScore(BaseTransform):
    """Set ``gt_score`` to the one-hot of ``gt_label`` unless there is one already.

    MMPretrain's data preprocessor decides by the first sample whether a batch has scores. Where
    data sets with and without ``gt_score`` are concatenated, every sample needs one. An example
    are clean images and :class:`MixedImages` with soft labels. Put this transform anywhere before
    ``PackInputs``, which packs ``gt_score`` by default.

    Args:
        num_classes: Number of classes, >= 1.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``num_classes`` is no positive integer.
    """

    def __init__(self, num_classes: int) -> None:
        check_integer('num_classes', num_classes, 1)
        self.num_classes = num_classes

    def transform(self, results: dict) -> dict:
        """Add the score.

        Args:
            results: Sample with an integer ``gt_label`` in [0, num_classes), or with a
                ``gt_score`` of num_classes values.

        Returns:
            The sample with ``gt_score``, float32 ``(num_classes,)`` if it was added.

        Raises:
            ValueError: If the sample has neither, or they don't fit ``num_classes``.
        """
        score = results.get('gt_score')
        if score is not None:
            if len(score) != self.num_classes:
                raise ValueError(
                    f'gt_score has {len(score)} values, but num_classes={self.num_classes}; '
                    "give OneHotScore the data set's number of classes."
                )
            return results
        label = results.get('gt_label')
        if not isinstance(label, (int, np.integer)) or not 0 <= label < self.num_classes:
            raise ValueError(
                f'gt_label must be an integer in [0, {self.num_classes}), got {label!r}; give '
                "OneHotScore the data set's number of classes."
            )
        results['gt_score'] = np.zeros(self.num_classes, dtype=np.float32)
        results['gt_score'][label] = 1
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(num_classes={self.num_classes})'
