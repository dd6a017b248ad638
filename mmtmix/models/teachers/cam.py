"""Where a classifier's activation maps come from: classic CAM where exact, Grad-CAM elsewhere."""

from __future__ import annotations

import torch
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.models.necks import GlobalAveragePooling
from torch import Tensor, nn

from mmtmix.functional import class_activation_map, grad_cam

from .cam_layer import CURE, find_cam_layer, tokens_to_map


def has_exact_cam(model: nn.Module) -> bool:
    """Whether ``logits = Linear(GAP(F))``, so that mean(CAM_c) = logit_c - bias_c."""
    neck, head = getattr(model, 'neck', None), getattr(model, 'head', None)
    return (
        isinstance(neck, GlobalAveragePooling)
        and isinstance(neck.gap, nn.AdaptiveAvgPool2d)
        and isinstance(head, LinearClsHead)
        # a subclass that puts something between pooling and the linear layer isn't exact
        and type(head).forward is LinearClsHead.forward
        and type(head).pre_logits is LinearClsHead.pre_logits
    )


class ClassicCAM:
    """CAM of Zhou et al. 2016; logits and feature maps from one plain forward.

    Args:
        model: A classifier for which :func:`has_exact_cam` holds.
    """

    def __init__(self, model: nn.Module):
        self.model = model

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Images (N, C, H, W) -> logits (N, num_classes) and features (N, D, h, w)."""
        features = self.model.backbone(inputs)
        return self.model.head(self.model.neck(features)), features[-1]

    def maps(
        self, logits: Tensor, features: Tensor, classes: Tensor, image_size: torch.Size
    ) -> Tensor:
        """Raw maps (N, 1, h, w) of the given classes (N,)."""
        return class_activation_map(features, self.model.head.fc.weight, classes)


class GradCAM:
    """Grad-CAM of Selvaraju et al. 2017 on one layer; only what follows it is differentiated.

    Args:
        model: Any classifier.
        layer: Name of the module whose output is explained; None to choose one by a look at
            the first image.
    """

    def __init__(self, model: nn.Module, layer: str | None = None):
        self.model = model
        self.layer = layer
        self.num_extra_tokens = getattr(getattr(model, 'backbone', None), 'num_extra_tokens', 0)
        if layer is not None and layer not in dict(model.named_modules()):
            raise ValueError(
                f'cam_layer={layer!r} is no module of the teacher; its last ones are '
                f'{[name for name, _ in model.named_modules()][-8:]}'
            )

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Images (N, C, H, W) -> logits (N, num_classes) and the layer's output, a graph leaf."""
        if self.layer is None:
            self.layer = find_cam_layer(self.model, inputs[:1])
        kept: list[Tensor] = []

        def cut(module: nn.Module, args: tuple, output: Tensor) -> Tensor:
            if not isinstance(output, Tensor) or output.dim() not in (3, 4):
                raise ValueError(f'cam_layer={self.layer!r} gives no feature map; {CURE}')
            kept.append(output.detach().requires_grad_())
            return kept[-1].clone()  # what follows may work in place, which a leaf forbids

        handle = self.model.get_submodule(self.layer).register_forward_hook(cut)
        try:
            with torch.enable_grad():
                logits = self.model(inputs, mode='tensor')
        finally:
            handle.remove()
        if not kept:
            raise ValueError(f'cam_layer={self.layer!r} takes no part in the forward pass; {CURE}')
        return logits, kept[-1]

    def maps(
        self, logits: Tensor, features: Tensor, classes: Tensor, image_size: torch.Size
    ) -> Tensor:
        """Maps (N, 1, h, w) >= 0 of the given classes (N,) for images of a (H, W)."""
        explained = torch.zeros_like(logits).scatter_(1, classes[:, None], 1)
        (gradients,) = torch.autograd.grad(logits, features, explained)
        features = features.detach()
        if features.dim() == 3:
            features = tokens_to_map(features, image_size, self.num_extra_tokens)
            gradients = tokens_to_map(gradients, image_size, self.num_extra_tokens)
        return grad_cam(features, gradients)
