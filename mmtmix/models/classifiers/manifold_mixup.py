"""Manifold Mixup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor

from mmtmix.checks import check_flag, check_integer, check_number
from mmtmix.functional import blend_batch, mix_targets
from mmtmix.models.augments import warn_unmixed
from mmtmix.models.draw import Draw, draw_mixes, rank_generator
from mmtmix.models.mix_watch import MadeMix, is_watched, report_mix

from .head_use import HeadUse
from .labels import check_soft_head, read_scores, scored_samples
from .stages import at_output, check_layer, find_stages

INPUT = 'input'
# with the input, the eligible layers {0, 1, 2} of the paper
_NUM_STAGES = 2


@MODELS.register_module()
class ManifoldMixup(ImageClassifier):
    """Train a classifier on mixed hidden states.

    `Manifold Mixup <https://arxiv.org/abs/1806.05236>`_, Algorithm 1. One of several layers is
    drawn for each batch. Its output is mixed as Mixup mixes images, and the labels are mixed with
    the same weights. In everything else, checkpoints included, this is an ``ImageClassifier``.

    The paper draws one weight per batch. Here each sample has its own, as in this library's
    augments. The paper's alpha is 2 on CIFAR and 0.2 on Tiny-ImageNet.

    Args:
        backbone: Config of the backbone; this and all arguments that are not listed here are those
            of ``ImageClassifier``.
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the Dirichlet distribution of the weights, > 0.
        layers: Names of the places to mix at: ``'input'``, and modules such as
            ``'backbone.layer1'``, whose output is mixed. A module must run once in a forward pass,
            and not in a block that ``with_cp`` runs again. By default the input and the first two
            stages of the backbone.
        per_sample: Whether each mix draws weights of its own; False draws one row per batch.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range, no stages are found where ``layers`` is
            not given, or the head takes no soft labels.
    """

    head_use = HeadUse(rows='mixes')

    def __init__(
        self,
        backbone: dict,
        *args: Any,
        num_mix: int = 2,
        alpha: float = 2.0,
        layers: Sequence[str] | None = None,
        per_sample: bool = True,
        **kwargs: Any,
    ):
        check_integer('num_mix', num_mix, 2)
        check_number('alpha', alpha, above=0, cure='it is that of Dir(alpha)')
        check_flag('per_sample', per_sample)
        super().__init__(backbone, *args, **kwargs)
        check_soft_head(self)
        self.num_mix = num_mix
        self.alpha = alpha
        self.per_sample = per_sample
        self._has_mixed = False
        self.layers = self._default_layers() if layers is None else list(layers)
        if not self.layers or isinstance(layers, str):
            raise ValueError(f"layers must list at least one layer, as ['input'], got {layers!r}")
        for name in self.layers:
            if name != INPUT:
                check_layer(self, name, 'layers')

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return the losses of the head on states that are mixed at one layer.

        A batch smaller than k is not mixed.

        Args:
            inputs: Images, (N, C, H, W).
            data_samples: N samples with ``gt_score`` or ``gt_label``.

        Returns:
            Losses by name, on mixed labels.

        Raises:
            RuntimeError: If the drawn layer does not run exactly once in the forward pass.
            TypeError: If its output is no batch.
        """
        if len(inputs) < self.num_mix:
            if not self._has_mixed:
                warn_unmixed(len(inputs), self.num_mix)
            return super().loss(inputs, data_samples)
        scores = read_scores(data_samples, self.head.num_classes)
        self._has_mixed = True
        generator = rank_generator()
        layer = self.layers[int(torch.randint(len(self.layers), (), generator=generator))]
        draw = draw_mixes(
            len(inputs), self.num_mix, self.alpha, generator, inputs.device, self.per_sample
        )
        targets = mix_targets(scores, draw.weights, draw.index)
        if is_watched():
            report_mix(_made(inputs, scores, targets, draw, layer))
        feats = self.mixed_features(inputs, draw.weights, draw.index, layer)
        return self.head.loss(feats, scored_samples(targets))

    def mixed_features(self, inputs: Tensor, weights: Tensor, index: Tensor, layer: str) -> Any:
        """Return the input of the head if the output of a layer is mixed.

        Args:
            inputs: Images, (N, C, H, W).
            weights: Shares of the images, (N, k), rows on the simplex.
            index: Images of each mix, (N, k).
            layer: Name of the layer, one of ``layers``.

        Returns:
            Features, as ``extract_feat`` returns them.
        """
        if layer == INPUT:
            return self.extract_feat(_mix(inputs, weights, index))
        with at_output(
            self.get_submodule(layer), lambda output: _mix_output(output, weights, index, layer)
        ):
            return self.extract_feat(inputs)

    def _default_layers(self) -> list[str]:
        stages = find_stages(self.backbone)[:_NUM_STAGES]
        if not stages:
            raise ValueError(
                f'{type(self.backbone).__name__} has no stages with a common name; set '
                "layers=['input', 'backbone....'], see model.named_modules()"
            )
        return [INPUT, *(f'backbone.{stage}' for stage in stages)]


def _made(inputs: Tensor, scores: Tensor, targets: Tensor, draw: Draw, layer: str) -> MadeMix:
    """Return what can be shown of a mix: its images, and the mix itself if it is one of images."""
    details = dict(weights=draw.weights, index=draw.index)
    if layer == INPUT:
        masks = draw.weights[..., None, None, None].expand(-1, -1, 1, *inputs.shape[-2:])
        details['masks'] = masks
    note = f'at {layer.removeprefix("backbone.")}'
    return MadeMix('ManifoldMixup', None, targets, inputs, scores, details, note=note)


def _mix(states: Tensor, weights: Tensor, index: Tensor) -> Tensor:
    """Mix states (N, ...) of any number of dimensions."""
    return blend_batch(states, index, weights.view(*weights.shape, *[1] * (states.dim() - 1)))


def _mix_output(output: Any, weights: Tensor, index: Tensor, layer: str) -> Any:
    """Mix the output of a layer; of a tuple, as stages of transformers return, the first entry."""
    if isinstance(output, tuple):
        return (_mix_output(output[0] if output else None, weights, index, layer), *output[1:])
    if not isinstance(output, Tensor) or output.dim() < 2 or len(output) != len(index):
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise TypeError(
            f'the output of {layer!r} must be a tensor (N, ...) of the batch of {len(index)}, '
            f'or a tuple that begins with one, got {shape}; name another module in layers'
        )
    return _mix(output, weights, index)
