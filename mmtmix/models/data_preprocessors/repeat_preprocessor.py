"""Several mixes of each batch, and the batch itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.registry import MODELS
from torch import Tensor

from mmtmix.checks import check_flag, check_integer
from mmtmix.models.augments import BatchAugment


@MODELS.register_module()
class RepeatMixPreprocessor(ClsDataPreprocessor):
    """MMPretrain's data preprocessor, with several mixes of each training batch.

    A loaded image then serves ``repeat`` times in a step, and the network gets a batch of
    ``repeat`` times the size. Our augments call their teacher once for all of them.

    With ``keep_clean`` the step also has the images themselves, in front of the mixes. Its loss
    is the mean over all rows: ``(L(clean) + repeat * L(mixed)) / (1 + repeat)``. It works for any
    augment. Batch norm sees clean and mixed images together.

    Args:
        repeat: Number of mixes of each image, >= 1. Of several augments, one is chosen for each
            mix of the batch.
        keep_clean: Whether each step has the unmixed images, too.
        **kwargs: Other arguments of ``ClsDataPreprocessor``; augments come from
            ``model.train_cfg`` as usual.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``repeat`` is below 1.
    """

    def __init__(self, repeat: int = 2, keep_clean: bool = False, **kwargs: Any):
        check_integer('repeat', repeat, 1)
        check_flag('keep_clean', keep_clean)
        super().__init__(**kwargs)
        self.repeat = repeat
        self.keep_clean = keep_clean

    def forward(self, data: dict, training: bool = False) -> dict:
        """Normalise and, in training, mix.

        Args:
            data: Batch of N images from the data loader.
            training: Whether the batch is mixed.

        Returns:
            Dict with ``inputs`` (R * N, C, H, W) and as many ``data_samples``, after N clean ones
            with ``keep_clean``; N where nothing mixes.
        """
        data = super().forward(data, training=False)
        samples = data['data_samples']
        if not training or not samples or 'gt_score' not in samples[0]:
            return data
        # as float, even where a schedule has switched mixing off: losses take no integer scores
        scores = torch.stack([sample.gt_score for sample in samples]).float()
        if self.batch_augments is None:
            for sample, score in zip(samples, scores, strict=True):
                sample.set_gt_score(score)
            return data
        mixed, targets = self._mix(data['inputs'], scores)
        copies = self.repeat
        if self.keep_clean:
            mixed, targets = torch.cat([data['inputs'], mixed]), torch.cat([scores, targets])
            copies += 1
        samples = [sample.clone() for _ in range(copies) for sample in samples]
        for sample, target in zip(samples, targets, strict=True):
            sample.set_gt_score(target)
        return dict(inputs=mixed, data_samples=samples)

    def _mix(self, inputs: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        augments, probs = self.batch_augments.augments, self.batch_augments.probs
        chosen = Counter(np.random.choice(len(augments), size=self.repeat, p=probs).tolist())  # noqa: NPY002  (as MMPretrain draws)
        parts = [_repeated(augments[one], inputs, scores, count) for one, count in chosen.items()]
        mixed, targets = zip(*parts, strict=True)
        return torch.cat(mixed), torch.cat(targets)


def _repeated(
    augment: Callable | None, inputs: Tensor, scores: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """Apply an augment ``count`` times."""
    if isinstance(augment, BatchAugment):
        return augment(inputs, scores, repeat=count)
    if augment is None:
        return inputs.repeat(count, 1, 1, 1), scores.repeat(count, 1).float()
    # MMPretrain's augments write into their batch
    parts = [augment(inputs.clone(), scores) for _ in range(count)]
    mixed, targets = zip(*parts, strict=True)
    return torch.cat(mixed), torch.cat(targets)
