"""AutoMix."""

from __future__ import annotations

from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmtmix.checks import check_flag, check_instance, check_number, check_text
from mmtmix.functional import blend_batch, mask_area_loss, mix_targets
from mmtmix.models.draw import draw_mixes, rank_generator
from mmtmix.models.mix_watch import MadeMix, is_watched, report_mix

from .head_use import HeadUse
from .labels import check_soft_head, read_scores, scored_samples
from .momentum_encoder import MomentumEncoder
from .stages import check_layer, find_stages
from .training_only import TrainingOnly

Details = dict[str, Tensor]


@MODELS.register_module()
class AutoMixClassifier(ImageClassifier):
    """Train a classifier on mixes of a mix block that learns at the same time.

    `AutoMix <https://arxiv.org/abs/2103.13027>`_. In each step the classifier learns from clean
    images and from mixes of them. The mix block makes these mixes, and their masks are constants
    for the classifier. The mix block learns from a momentum encoder, a slow copy of the
    classifier: the copy should classify mixes by their labels, and the areas of the masks should
    be near the shares. The copy is constant for the mix block, which also reads its feature maps.
    Neither loss reaches the weights of the other part, so one optimizer serves both (the paper's
    momentum pipeline, section 4.3).

    Mix block and momentum encoder are in no state dict: a checkpoint is one of a plain
    ``ImageClassifier``. Training needs ``custom_hooks=[dict(type='AutoMixHook')]``. The hook
    updates the momentum encoder, and keeps both in checkpoints that can be resumed.

    The authors train with alpha 2:

    - Tiny-ImageNet, ResNet-18 (``ResNet_CIFAR``): 400 epochs of SGD, batch 100, weight decay 1e-4,
      lr 0.2 with cosine to 0.05, the mix block's lr 0.1 with cosine to 0.001.
    - CIFAR-100: 400 or 800 epochs, lr 0.1 with cosine to 0.05.

    The mix block reads the next to last stage, ``in_channels=256``. ``paramwise_cfg=dict(
    custom_keys={'mix_block': dict(lr_mult=0.5)})`` sets its rate. The authors' code has a second
    linear layer for mixed images. Here, as in the paper's formulas, both kinds share one layer, as
    a plain classifier has it.

    Args:
        backbone: Config of the backbone; this and all arguments that are not listed here are those
            of ``ImageClassifier``.
        mix_block: Config ``dict(type='MixBlock', in_channels=...)``, or a module.
        alpha: Parameter of the Beta distribution of the shares, > 0.
        mask_layer: Name of the module whose output the mix block reads, such as
            ``'backbone.layer3'``. By default the next to last stage of the backbone.
        lam_margin: Share, in [0, 0.5), up to which a mix is plain Mixup for the classifier.
        area_weight: Weight of the area loss at the start, >= 0; it falls to 0 linearly.
        area_margin: Difference between area and share, in [0, 1], that costs nothing.
        keep_area_weight: Whether the weight stays constant instead, as in the authors' code.
        per_sample: Whether each mix draws shares of its own; False draws one row per batch, as the
            paper does.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range, no stages are found where ``mask_layer`` is
            not given, or the head takes no soft labels.
    """

    num_mix = 2
    method = 'AutoMix'  # as pictures name its mixes
    mixed_losses: tuple[str, ...] = ('loss_mix', 'loss_mix_block', 'loss_mask_area')
    mixing: Any  # a TrainingOnly, whose parts have types that torch does not declare
    # losses of the mix block; loss_mix is one of the head
    head_use = HeadUse(other_losses=('_mix_block', '_mask_area'))

    def __init__(
        self,
        backbone: dict,
        *args: Any,
        mix_block: dict | nn.Module,
        alpha: float = 2.0,
        mask_layer: str | None = None,
        lam_margin: float = 0.08,
        area_weight: float = 0.1,
        area_margin: float = 0.1,
        keep_area_weight: bool = False,
        per_sample: bool = True,
        **kwargs: Any,
    ):
        check_number('alpha', alpha, above=0, cure='it is that of Beta(alpha, alpha)')
        check_number('lam_margin', lam_margin, 0, below=0.5)
        check_number('area_weight', area_weight, 0)
        check_number('area_margin', area_margin, 0, 1)
        check_flag('keep_area_weight', keep_area_weight)
        check_flag('per_sample', per_sample)
        wanted = 'dict(type="MixBlock", ...) or a torch.nn.Module'
        check_instance('mix_block', mix_block, (dict, nn.Module), wanted)
        if mask_layer is not None:
            check_text('mask_layer', mask_layer)
        super().__init__(backbone, *args, **kwargs)
        check_soft_head(self)
        self.alpha = alpha
        self.mask_layer = self._default_layer() if mask_layer is None else mask_layer
        check_layer(self, self.mask_layer, 'mask_layer')
        self.lam_margin = lam_margin
        self.area_weight = area_weight
        self.area_margin = area_margin
        self.keep_area_weight = keep_area_weight
        self.per_sample = per_sample
        # share of the training that is done, in [0, 1], set by AutoMixHook
        self.progress: float | None = None
        self.iteration = 0  # from 0, set by AutoMixHook, too
        # so that the classifier draws the same first weights as without a mix block
        with torch.random.fork_rng(devices=[]):
            block = mix_block if isinstance(mix_block, nn.Module) else MODELS.build(mix_block)
        self.mixing = TrainingOnly(mix_block=block, encoder=MomentumEncoder(self))

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return all losses of a step.

        Args:
            inputs: Images, (N, C, H, W).
            data_samples: N samples with ``gt_score`` or ``gt_label``.

        Returns:
            ``loss`` on clean images; ``loss_mix`` on mixed ones; ``loss_mix_block`` and
            ``loss_mask_area``, which only the mix block learns from. A batch of one image is not
            mixed: its last three are 0.

        Raises:
            RuntimeError: If there is no ``AutoMixHook``.
        """
        if self.progress is None:
            raise RuntimeError(
                f'{type(self).__name__} has a momentum encoder, which only AutoMixHook updates; '
                "add custom_hooks=[dict(type='AutoMixHook')] to the config"
            )
        if len(inputs) < self.num_mix:
            # DDP needs a gradient for every parameter in every step
            weights = self.mixing.mix_block.parameters()
            nothing = torch.stack([weight.sum() for weight in weights]).sum() * 0
            losses = dict.fromkeys(self.mixed_losses, nothing)
        else:
            losses = self._losses_of_mixes(
                inputs, read_scores(data_samples, self.head.num_classes)
            )
        # the head runs last on the clean samples, as `head_use` promises
        return self._clean_losses(inputs, data_samples) | losses

    def mix(
        self,
        inputs: Tensor,
        scores: Tensor,
        weights: Tensor | None = None,
        index: Tensor | None = None,
        return_details: bool = False,
    ) -> tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Details]:
        """Mix a batch by the present mix block, without gradients.

        Args:
            inputs: Images, (N, C, H, W), N >= 2.
            scores: Soft labels, (N, num_classes).
            weights: Shares (M, 2); drawn by default.
            index: Images of each mix (M, 2), own first; drawn by default.
            return_details: Whether to return how the mixes were made as well.

        Returns:
            Mixes (M, C, H, W) and their labels (M, num_classes). With ``return_details`` a dict
            as well: ``weights`` (M, k), ``index`` (M, k), ``masks`` (M, k, 1, H, W) and ``warped``
            (M, k, C, H, W), with ``mixed = sum_k masks * warped`` and k = 2.
        """
        if weights is None or index is None:
            drawn = self._draw(inputs, rank_generator())
            weights = drawn[0] if weights is None else weights
            index = drawn[1] if index is None else index
        with torch.no_grad():
            features = self.mixing.encoder.features(inputs, self.mask_layer)
            masks = self._masks(inputs, features, weights, index)
        mixed, targets = blend_batch(inputs, index, masks), mix_targets(scores, weights, index)
        if not return_details:
            return mixed, targets
        details = dict(weights=weights, index=index, masks=masks, warped=inputs[index])
        return mixed, targets, details

    def _clean_losses(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        return super().loss(inputs, data_samples)

    def _losses_of_mixes(self, inputs: Tensor, scores: Tensor) -> dict[str, Tensor]:
        features = self.mixing.encoder.features(inputs, self.mask_layer)
        generator = rank_generator()
        losses = self._mix_block_loss(inputs, scores, features, generator)
        return losses | self._classifier_loss(inputs, scores, features, generator)

    def _classifier_loss(
        self, inputs: Tensor, scores: Tensor, features: Tensor, generator: torch.Generator
    ) -> dict[str, Tensor]:
        weights, index = self._draw(inputs, generator)
        mixed, targets = self._mixes_of_classifier(inputs, scores, features, weights, index)
        samples = scored_samples(targets)
        return {f'{name}_mix': value for name, value in super().loss(mixed, samples).items()}

    def _mixes_of_classifier(
        self, inputs: Tensor, scores: Tensor, features: Tensor, weights: Tensor, index: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return mixes for the classifier and their labels; masks are constants for it."""
        with torch.no_grad():
            masks = self._masks(inputs, features, weights, index)
            is_uneven = weights.min(dim=1).values <= self.lam_margin
            shares = weights[..., None, None, None]
            masks = torch.where(is_uneven[:, None, None, None, None], shares, masks)
            mixed = blend_batch(inputs, index, masks)
        targets = mix_targets(scores, weights, index)
        if is_watched():
            details = dict(weights=weights, index=index, masks=masks)
            report_mix(MadeMix(self.method, mixed, targets, inputs, scores, details))
        return mixed, targets

    def _mix_block_loss(
        self, inputs: Tensor, scores: Tensor, features: Tensor, generator: torch.Generator
    ) -> dict[str, Tensor]:
        weights, index = self._draw(inputs, generator)
        masks = self._masks(inputs, features, weights, index)
        mixed = blend_batch(inputs, index, masks)
        samples = scored_samples(mix_targets(scores, weights, index))
        losses = self.mixing.encoder.loss(mixed, samples)
        progress = 0.0 if self.keep_area_weight else self.progress or 0.0
        area_weight = self.area_weight * (1 - progress)
        area = mask_area_loss(masks, weights, self.area_margin).mean()
        return {f'{name}_mix_block': value for name, value in losses.items()} | dict(
            loss_mask_area=area_weight * area
        )

    def _masks(self, inputs: Tensor, features: Tensor, weights: Tensor, index: Tensor) -> Tensor:
        return self.mixing.mix_block(features, weights, index, tuple(inputs.shape[-2:]))

    def _draw(self, inputs: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        draw = draw_mixes(
            len(inputs), self.num_mix, self.alpha, generator, inputs.device, self.per_sample
        )
        return draw.weights, draw.index

    def _default_layer(self) -> str:
        stages = find_stages(self.backbone)
        if len(stages) < 2:
            raise ValueError(
                f'{type(self.backbone).__name__} has no stages with a common name; set '
                "mask_layer='backbone....', see model.named_modules()"
            )
        return f'backbone.{stages[-2]}'
