"""The quality of mixes, measured by a teacher over a validation set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric
from mmpretrain.registry import METRICS

from mmtmix.utils.shipped import SCHEME, shipped_names


@METRICS.register_module()
class MixQuality(BaseMetric):
    """Average the measures of :meth:`mmtmix.models.MixerSearch.predict`.

    There are two for each of ``transformmix``, ``mixup`` and ``cutmix``, on the same pairs:
    ``mix/<method>/ce``, the teacher's cross entropy with the mixed label in nats (lower is
    better), and ``mix/<method>/top_k``, the percentage of mixes whose top-k classes are the
    mixed ones. ``mix/transformmix/shift`` is the distance by which the spatial transformer moves
    the corners of an image, in percent of its side.

    Attributes:
        last: Averages of the last validation without prefix, and ``mixes``, their number; None
            before the first one, and on all ranks but the first.
    """

    default_prefix = 'mix'
    last: dict[str, float] | None = None

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
        means = {
            name: scale[name] * float(np.mean([quality[name] for quality in results]))
            for name in results[0]
        }
        self.last = means | dict(mixes=len(results))
        return means

    def warning(self, num_mix: int) -> str | None:
        """Return what to warn of after a search whose module is no better than a blind mixer.

        Args:
            num_mix: Number of images per mix, >= 2.

        Returns:
            The text, or None where the last cross entropy is below those of Mixup and of CutMix.
        """
        if self.last is None:
            return None
        own = self.last['transformmix/ce']
        blind = {name: self.last[f'{name.lower()}/ce'] for name in ('CutMix', 'Mixup')}
        best = min(blind, key=lambda name: blind[name])
        if own < blind[best]:
            return None
        name = f'fashionmnist_k{num_mix}'
        shipped = f", or use a shipped module: mixer='{SCHEME}{name}'"
        return (
            f"The teacher recognises the module's mixes no better than those of {best}: cross "
            f'entropy {own:.3f} against {blind[best]:.3f} nats on {self.last["mixes"]} mixes. '
            'Search longer (`train_cfg.max_epochs`, --search-epochs of init)'
            f'{shipped if name in shipped_names() else ""}.'
        )
