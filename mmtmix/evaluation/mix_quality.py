"""The quality of mixes, measured by a teacher over a validation set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric
from mmpretrain.registry import METRICS


@METRICS.register_module()
class MixQuality(BaseMetric):
    """Average the measures of :meth:`mmtmix.models.MixerSearch.predict`.

    There are two for each of ``transformmix``, ``mixup`` and ``cutmix``, on the same pairs:
    ``mix/<method>/ce``, the teacher's cross entropy with the mixed label in nats (lower is
    better), and ``mix/<method>/top_k``, the percentage of mixes whose top-k classes are the
    mixed ones. ``mix/transformmix/shift`` is the distance by which the spatial transformer moves
    the corners of an image, in percent of its side.
    """

    default_prefix = 'mix'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Store the measures of a batch."""
        for sample in data_samples:
            if sample['mix_quality'] is not None:
                self.results.append(sample['mix_quality'])

    def compute_metrics(self, results: list[dict[str, float]]) -> dict[str, float]:
        """Average over the samples.

        Raises:
            ValueError: If every batch was too small to mix.
        """
        if not results:
            raise ValueError(
                'no validation batch had enough images to mix; use a val_dataloader with a '
                'batch_size of at least num_mix'
            )
        scale = {name: 1.0 if name.endswith('ce') else 100.0 for name in results[0]}
        return {
            name: scale[name] * float(np.mean([quality[name] for quality in results]))
            for name in results[0]
        }
