"""AugMix's loss."""

from __future__ import annotations

from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

from mmtmix.checks import check_number
from mmtmix.functional import jensen_shannon
from mmtmix.models.label_check import check_scores

from .head_use import HeadUse


@MODELS.register_module()
class AugMixClassifier(ImageClassifier):
    """A classifier that learns to predict the same for an image and its augmented views.

    `AugMix <https://arxiv.org/abs/1912.02781>`_, section 3: its loss is that of the head on the
    clean images, and ``jsd_weight`` times the Jensen-Shannon divergence of the predictions for all
    views. These pass through the network as one batch. In everything else, checkpoints included,
    this is an ``ImageClassifier``. Its data preprocessor is a
    :class:`~mmtmix.models.ViewsPreprocessor`, and its training pipeline has an
    :class:`~mmtmix.datasets.AugMix` before ``PackInputs``.

    Args:
        backbone: Config of the backbone. Arguments that aren't listed are those of
            ``ImageClassifier``.
        jsd_weight: Factor of the divergence, >= 0; the paper's is 12.
        data_preprocessor: Config of the data preprocessor.

    Raises:
        TypeError: If the head can't compute its loss from logits.
        ValueError: If ``jsd_weight`` is negative.
    """

    head_use = HeadUse(rows='views', other_losses=('_jsd',))

    def __init__(
        self,
        backbone: dict,
        *args: Any,
        jsd_weight: float = 12.0,
        data_preprocessor: dict | None = None,
        **kwargs: Any,
    ):
        check_number('jsd_weight', jsd_weight, 0)
        if data_preprocessor is None or isinstance(data_preprocessor, dict):
            data_preprocessor = {'type': 'ViewsPreprocessor', **(data_preprocessor or {})}
        super().__init__(backbone, *args, data_preprocessor=data_preprocessor, **kwargs)
        if not hasattr(self.head, '_get_loss'):
            raise TypeError(
                'AugMixClassifier needs a head whose loss is one of its logits, such as '
                f'LinearClsHead, got {type(self.head).__name__}'
            )
        self.jsd_weight = jsd_weight

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Compare the views, and classify the clean images.

        Args:
            inputs: Images, (V * N, C, H, W), V >= 2: all clean ones, then all first augmented
                ones, ...
            data_samples: The N samples.

        Returns:
            The head's losses for the clean images, and ``loss_jsd``.

        Raises:
            ValueError: If there is one view, or a part of one, or a score is NaN, infinite or
                negative.
        """
        num_views, rest = divmod(len(inputs), len(data_samples))
        if num_views < 2 or rest:
            raise ValueError(
                f'{len(inputs)} inputs are no two or more views of {len(data_samples)} images; '
                "add dict(type='AugMix') to the training pipeline, before PackInputs, and use "
                "data_preprocessor=dict(type='ViewsPreprocessor')"
            )
        if 'gt_score' in data_samples[0]:
            check_scores(torch.stack([sample.gt_score for sample in data_samples]).float())
        logits = self.head(self.extract_feat(inputs))
        views = logits.chunk(num_views)
        # the part of the head's loss that comes after its logits, accuracy included
        losses = self.head._get_loss(views[0], data_samples)
        return losses | dict(loss_jsd=self.jsd_weight * jensen_shannon(views).mean())
