"""AdAutoMix."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmtmix.checks import check_flag, check_integer, check_number
from mmtmix.functional import blend_batch, draw_index, draw_weights, mix_targets
from mmtmix.models.draw import rank_generator

from .automix import AutoMixClassifier
from .head_use import HeadUse
from .labels import scored_samples


@MODELS.register_module()
class AdAutoMixClassifier(AutoMixClassifier):
    """Train a classifier on mixes of k images by a mix block that makes them hard.

    `AdAutoMix <https://arxiv.org/abs/2312.11954>`_ (ICLR 2024). Parts and hook are those of
    ``AutoMixClassifier``: a mix block, and a momentum encoder that is constant for it. In every
    second step the mix block is adversarial: the encoder should not classify its mixes. In the
    other steps it should, as in AutoMix. With the classifier f, the encoder g, mixes x' of images
    x_i with shares w_i, and plain Mixup x'' of the same images with the same shares:

    - classifier: ``(1 - mixup_weight) CE(f(x), y) + mixup_weight CE(f(x''), y') + CE(f(x'), y')``
    - mix block: ``-beta CE(g(x'), y') + (1 - beta) S`` if adversarial, else ``CE(g(x'), y')``
    - ``S``: mean over mixes of ``sum_i w_i cos(g(x'), g(x_i))``, on logits

    These are the losses of the authors' public code, by which the published figures were made.
    Its sign of S lowers the similarity. ``keep_similarity=True`` has the other sign, which the
    purpose that the paper states asks for: a mix keeps the meaning of its images.

    The authors train ResNet-18 on CIFAR-100 with lr 0.1 and cosine to 0.05, the defaults here, and
    ``mix_block=dict(type='AdaptiveMixBlock', in_channels=256)`` with bilinear upsampling.

    Ours: one linear layer instead of two, as in ``AutoMixClassifier``. Partners are other images,
    where the code draws k permutations. A mix is plain Mixup for the classifier if a share is at
    most ``lam_margin``. The condition of the public code holds for nearly every mix of three
    images, so that its classifier learns from Mixup of three; ``lam_margin=1/3`` is that.
    The losses are the same for two images, for which the code leaves plain Mixup out.

    Args:
        backbone: Config of the backbone; this and all arguments that are not listed here are those
            of ``ImageClassifier``.
        mix_block: Config ``dict(type='AdaptiveMixBlock', in_channels=...)``, or a module.
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Beta distribution of the shares, > 0. For k > 2 each share is drawn
            from it, and they are divided by their sum.
        mask_layer: Name of the module whose output the mix block reads, such as
            ``'backbone.layer3'``. By default the next to last stage of the backbone.
        lam_margin: Share, in [0, 0.5), up to which a mix is plain Mixup for the classifier.
        mixup_weight: Weight of plain Mixup beside clean images, in [0, 1].
        beta: Weight of the adversarial loss against that of the similarity, in [0, 1].
        adversarial_every: Steps from one adversarial step to the next, >= 1, the first included.
        keep_similarity: Whether the mix block raises S in adversarial steps.
        per_sample: Whether each mix draws shares of its own; False draws one row per batch, as the
            authors' code does.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range, no stages are found where ``mask_layer`` is
            not given, or the head takes no soft labels.
    """

    method = 'AdAutoMix'
    mixed_losses = ('loss_mixup', 'loss_mix', 'loss_mix_block', 'loss_similarity_mix_block')
    head_use = HeadUse(other_losses=('_mix_block',))

    def __init__(
        self,
        backbone: dict,
        *args: Any,
        mix_block: dict | nn.Module,
        num_mix: int = 3,
        alpha: float = 1.0,
        mask_layer: str | None = None,
        lam_margin: float = 0.03,
        mixup_weight: float = 0.5,
        beta: float = 0.3,
        adversarial_every: int = 2,
        keep_similarity: bool = False,
        per_sample: bool = True,
        **kwargs: Any,
    ):
        check_integer('num_mix', num_mix, 2)
        check_number('mixup_weight', mixup_weight, 0, 1)
        check_number('beta', beta, 0, 1)
        check_integer('adversarial_every', adversarial_every, 1)
        check_flag('keep_similarity', keep_similarity)
        shared: dict[str, Any] = dict(
            mask_layer=mask_layer, lam_margin=lam_margin, per_sample=per_sample
        )
        super().__init__(backbone, *args, mix_block=mix_block, alpha=alpha, **shared, **kwargs)
        self.num_mix = num_mix
        self.mixup_weight = mixup_weight
        self.beta = beta
        self.adversarial_every = adversarial_every
        self.keep_similarity = keep_similarity

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return all losses of a step.

        Args:
            inputs: Images, (N, C, H, W).
            data_samples: N samples with ``gt_score`` or ``gt_label``.

        Returns:
            ``loss`` on clean images and ``loss_mixup`` on plain Mixup, both with their weights;
            ``loss_mix`` on mixes; ``loss_mix_block`` and ``loss_similarity_mix_block``, which only
            the mix block learns from, and which may be negative. A batch of fewer than k images is
            not mixed: all but the first are 0.

        Raises:
            RuntimeError: If there is no ``AutoMixHook``.
        """
        return super().loss(inputs, data_samples)

    def _clean_losses(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        losses = super()._clean_losses(inputs, data_samples)
        if len(inputs) < self.num_mix:
            return losses
        return _scaled(losses, 1 - self.mixup_weight)

    def _losses_of_mixes(self, inputs: Tensor, scores: Tensor) -> dict[str, Tensor]:
        generator = rank_generator()
        maps, logits = self.mixing.encoder.features_and_logits(inputs, self.mask_layer)
        losses = self._adversarial_loss(inputs, scores, maps, logits, generator)
        weights, index = self._draw(inputs, generator)
        mixed, targets = self._mixes_of_classifier(inputs, scores, maps, weights, index)
        plain = blend_batch(inputs, index, weights[..., None, None, None])
        samples = scored_samples(targets)
        of_plain = _scaled(super()._clean_losses(plain, samples), self.mixup_weight)
        of_mixes = super()._clean_losses(mixed, samples)
        losses |= {f'{name}_mixup': value for name, value in of_plain.items()}
        return losses | {f'{name}_mix': value for name, value in of_mixes.items()}

    def _adversarial_loss(
        self,
        inputs: Tensor,
        scores: Tensor,
        maps: Tensor,
        logits: Tensor,
        generator: torch.Generator,
    ) -> dict[str, Tensor]:
        """Return the loss of the mix block, by the step that it is."""
        weights, index = self._draw(inputs, generator)
        mixed = blend_batch(inputs, index, self._masks(inputs, maps, weights, index))
        samples = scored_samples(mix_targets(scores, weights, index))
        losses, of_mixes = self.mixing.encoder.losses_and_logits(mixed, samples)
        near = F.cosine_similarity(of_mixes[:, None].float(), logits[index].float(), dim=-1)
        similarity = (weights * near).sum(dim=1).mean()
        if self.iteration % self.adversarial_every == 0:
            losses = _scaled(losses, -self.beta)
            factor = (1 - self.beta) * (-1 if self.keep_similarity else 1)
        else:
            factor = 0.0
        losses['loss_similarity'] = factor * similarity
        return {f'{name}_mix_block': value for name, value in losses.items()}

    def _draw(self, inputs: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        count = len(inputs) if self.per_sample else 1
        if self.num_mix == 2:
            weights = draw_weights(count, 2, self.alpha, generator)
        else:
            draws = draw_weights(count * self.num_mix, 2, self.alpha, generator)
            shares = draws[:, 0].reshape(count, self.num_mix)
            weights = shares / shares.sum(dim=1, keepdim=True)
        index = draw_index(len(inputs), self.num_mix, generator)
        return weights.expand(len(inputs), -1).to(inputs.device), index.to(inputs.device)


def _scaled(losses: dict[str, Tensor], factor: float) -> dict[str, Tensor]:
    """Return losses times a factor; other entries, such as an accuracy, stay."""
    return {name: value * factor if 'loss' in name else value for name, value in losses.items()}
