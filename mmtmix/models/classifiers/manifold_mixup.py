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
from mmtmix.models.draw import draw_mixes, rank_generator

from .head_use import HeadUse
from .labels import check_soft_head, read_scores, scored_samples
from .stages import at_output, check_layer, find_stages

INPUT = 'input'
# with the input, the eligible layers {0, 1, 2} of the paper
_NUM_STAGES = 2


@MODELS.register_module()
class ManifoldMixup(ImageClassifier):
    """A classifier that mixes hidden states in training.

    `Manifold Mixup <https://arxiv.org/abs/1806.05236>`_, Algorithm 1: for each batch one of
    several layers is drawn, its output is mixed like images in Mixup, and labels with the same
    weights. In everything else, checkpoints included, this is an ``ImageClassifier``.

    The paper draws one weight a batch; here each sample has its own, as with every mixer of this
    library. The paper's alpha is 2 on CIFAR and 0.2 on Tiny-ImageNet.

    Args:
        backbone: As of ``ImageClassifier``, as all that isn't listed here.
        num_mix: Images a mix, k >= 2.
        alpha: Dirichlet parameter of the weights, > 0.
        layers: Where to mix: ``'input'`` and names of modules such as ``'backbone.layer1'``, whose
            output is mixed. It must run once in a forward pass, and not in a block that
            ``with_cp`` runs again. By default the input and the backbone's first two stages.
        per_sample: False draws one weight a batch.

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
        """Mix at one layer and classify.

        A batch smaller than k is not mixed.

        Args:
            inputs: (N, C, H, W).
            data_samples: With ``gt_score`` or ``gt_label``.

        Returns:
            The losses of the head on mixed labels.

        Raises:
            RuntimeError: If the drawn layer takes no part in the forward pass, or several.
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
        feats = self.mixed_features(inputs, draw.weights, draw.index, layer)
        return self.head.loss(feats, scored_samples(mix_targets(scores, draw.weights, draw.index)))

    def mixed_features(self, inputs: Tensor, weights: Tensor, index: Tensor, layer: str) -> Any:
        """What the head sees if a layer's output is mixed.

        Args:
            inputs: (N, C, H, W).
            weights: (N, k), rows on the simplex.
            index: (N, k), the images of each mix.
            layer: One of ``layers``.

        Returns:
            As of ``extract_feat``.
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
                f'{type(self.backbone).__name__} has no stages that are known by name; set '
                "layers=['input', 'backbone....'], see model.named_modules()"
            )
        return [INPUT, *(f'backbone.{stage}' for stage in stages)]


def _mix(states: Tensor, weights: Tensor, index: Tensor) -> Tensor:
    """Mix states (N, ...) of any number of dimensions."""
    return blend_batch(states, index, weights.view(*weights.shape, *[1] * (states.dim() - 1)))


def _mix_output(output: Any, weights: Tensor, index: Tensor, layer: str) -> Any:
    """Mix what a layer gives; transformers' stages give a tuple that begins with their states."""
    if isinstance(output, tuple):
        return (_mix_output(output[0] if output else None, weights, index, layer), *output[1:])
    if not isinstance(output, Tensor) or output.dim() < 2 or len(output) != len(index):
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise TypeError(
            f'the output of {layer!r} must be a tensor (N, ...) of the batch of {len(index)}, '
            f'or a tuple that begins with one, got {shape}; name another module in layers'
        )
    return _mix(output, weights, index)
