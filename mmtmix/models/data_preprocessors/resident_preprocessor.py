"""MMPretrain's data preprocessor for batches that come as tensors."""

from __future__ import annotations

from typing import Any

from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.registry import MODELS
from torch import Tensor
from torch.nn import functional as F

from mmtmix.datasets.resident import ResidentSamples, score_samples


@MODELS.register_module()
class ResidentPreprocessor(ClsDataPreprocessor):
    """MMPretrain's data preprocessor, which takes the labels of a resident batch at once.

    It gives what ``ClsDataPreprocessor`` gives. That one takes apart, converts and joins the
    labels sample by sample, which costs as much time as loading a batch of a resident set.
    Batches of other data sets go the ordinary way. The arguments are those of
    ``ClsDataPreprocessor``.
    """

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Normalise a batch, and mix it if augments are set.

        Args:
            data: Batch from the data loader.
            training: Whether it is mixed.

        Returns:
            Dict with ``inputs``, float32 (N, C, H, W), and N ``data_samples``.

        Raises:
            ValueError: If one-hot labels are needed and the number of classes is unknown.
        """
        samples = data.get('data_samples')
        if not isinstance(samples, ResidentSamples):
            return super().forward(data, training)
        # the host's own normalisation, without samples
        inputs = super().forward(dict(inputs=data['inputs']))['inputs']
        if samples.labels is not None and samples.labels.device != inputs.device:
            samples.labels = samples.labels.to(inputs.device, non_blocking=True)
            for sample, label in zip(samples, samples.labels.unbind(), strict=True):
                sample.set_field(label, 'gt_label')
        scores = self._scores(samples)
        if scores is None:
            return dict(inputs=inputs, data_samples=samples)
        if training and self.batch_augments is not None:
            inputs, scores = self.batch_augments(inputs, scores)
        score_samples(samples, scores)
        return dict(inputs=inputs, data_samples=samples)

    def _scores(self, samples: ResidentSamples) -> Tensor | None:
        """Return the scores of a batch (N, num_classes); None where it needs none."""
        if samples.scores is not None:
            return samples.scores.to(self.device, non_blocking=True)
        if not self.to_onehot or samples.labels is None:
            return None
        if not self.num_classes:
            raise ValueError(
                'one-hot labels need the number of classes; set '
                'data_preprocessor=dict(num_classes=...)'
            )
        return F.one_hot(samples.labels[:, 0], self.num_classes)
