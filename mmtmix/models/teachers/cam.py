"""A classifier's activation maps: classic CAM where it is exact, Grad-CAM elsewhere."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from mmengine.logging import print_log
from mmpretrain.models.heads import LinearClsHead
from mmpretrain.models.necks import GlobalAveragePooling
from torch import Tensor, nn

from mmtmix.functional import class_activation_map, class_activation_maps, grad_cam

from .cam_layer import CURE, CamLayer, find_cam_layer
from .logit_gradient import LogitGradient
from .outputs import Forward

_LOOK_AT = 2  # images, for the choice of a layer


def has_exact_cam(model: nn.Module) -> bool:
    """Return whether MMPretrain's own parts make ``logits = Linear(GAP(F))``.

    Then the mean of the CAM of class c is ``logit_c - bias_c``.

    Args:
        model: A classifier.
    """
    neck, head = getattr(model, 'neck', None), getattr(model, 'head', None)
    return (
        isinstance(neck, GlobalAveragePooling)
        and isinstance(neck.gap, nn.AdaptiveAvgPool2d)
        and isinstance(head, LinearClsHead)
        # a subclass that puts something between pooling and the linear layer isn't exact
        and type(head).forward is LinearClsHead.forward
        and type(head).pre_logits is LinearClsHead.pre_logits
    )


class Saliency(Protocol):
    """A way from images to maps, in one pass that also gives the logits.

    Attributes:
        can_compile: Whether ``torch.compile`` can compile its forward.
    """

    can_compile: bool

    @property
    def source(self) -> str:
        """Kind and layer of the maps, in words."""

    @property
    def title(self) -> str:
        """Kind of the maps, as short as the title of a picture."""

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, num_classes) and the features that :meth:`maps` needs.

        Args:
            inputs: Images, (N, C, H, W).
        """

    def maps(
        self, logits: Tensor, features: Tensor, classes: Tensor, image_size: torch.Size
    ) -> Tensor:
        """Return raw maps, (N, 1, h, w).

        Args:
            logits: Logits that :meth:`forward` returned.
            features: Features that :meth:`forward` returned.
            classes: Class of each map, int64 (N,).
            image_size: Height and width of the images in pixels.
        """

    def exact_maps(self, features: Tensor, image_size: torch.Size) -> Tensor | None:
        """Return exact CAMs of all classes, (N, num_classes, h, w); None where maps are others.

        Args:
            features: Features that :meth:`forward` returned.
            image_size: Height and width of the images in pixels.
        """


def choose_saliency(
    model: nn.Module,
    forward: Forward,
    saliency: str,
    cam_layer: str | None = None,
    num_extra_tokens: int | None = None,
) -> Saliency:
    """Return the maps that a teacher's option ``saliency`` names.

    Args:
        model: A frozen classifier.
        forward: Function that returns its logits for images.
        saliency: Kind of maps, ``'auto'``, ``'cam'``, ``'grad_cam'`` or ``'input_gradient'``.
        cam_layer: Name of the module for Grad-CAM.
        num_extra_tokens: Number of tokens that stand for no patch.
    """
    if saliency == 'input_gradient':
        return LogitGradient(forward)
    if saliency != 'grad_cam' and cam_layer is None and has_exact_cam(model):
        return ClassicCAM(model)
    exact = dict(auto=None, cam=True, grad_cam=False)[saliency]
    return LayerCAM(model, forward, cam_layer, num_extra_tokens, exact)


class ClassicCAM:
    """CAM of Zhou et al. 2016; logits and feature maps from one plain forward.

    Args:
        model: A classifier for which :func:`has_exact_cam` holds.
    """

    source = 'exact class activation maps'
    title = 'CAM'
    can_compile = True

    def __init__(self, model: Any):
        self.model = model

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, num_classes) and features (N, D, h, w); see :class:`Saliency`."""
        features = self.model.backbone(inputs)
        return self.model.head(self.model.neck(features)), features[-1]

    def maps(
        self, logits: Tensor, features: Tensor, classes: Tensor, image_size: torch.Size
    ) -> Tensor:
        """Return raw maps (N, 1, h, w); see :class:`Saliency`."""
        return class_activation_map(features, self.model.head.fc.weight, classes)

    def exact_maps(self, features: Tensor, image_size: torch.Size) -> Tensor:
        """Return exact CAMs of all classes, (N, num_classes, h, w); see :class:`Saliency`."""
        return class_activation_maps(features, self.model.head.fc.weight)


class LayerCAM:
    """Activation maps of one layer, which is chosen by the first images.

    Maps are those of Grad-CAM (Selvaraju et al. 2017), which differentiates only the part after
    the layer. Where the logits are a linear layer on the layer's mean, maps are classic CAMs,
    without any gradient.

    Args:
        model: A frozen classifier.
        forward: Function that returns its logits for images.
        layer: Name of the module whose output is explained; None to choose one.
        num_extra_tokens: Number of tokens that stand for no patch; None to infer it.
        exact: Whether the classic CAM is taken: True always, False never, None where exact.

    Raises:
        ValueError: If there is no module of that name.
    """

    can_compile = False

    def __init__(
        self,
        model: nn.Module,
        forward: Forward,
        layer: str | None = None,
        num_extra_tokens: int | None = None,
        exact: bool | None = None,
    ):
        if layer is not None and layer not in dict(model.named_modules()):
            raise ValueError(
                f'cam_layer={layer!r} is no module of the teacher; its last ones are '
                f'{[name for name, _ in model.named_modules()][-8:]}'
            )
        self.model, self._logits = model, forward
        self.layer = layer
        self.num_extra_tokens = num_extra_tokens
        self.exact = exact
        self._chosen: CamLayer | None = None

    @property
    def source(self) -> str:
        """Kind and layer of the maps, in words."""
        if self._chosen is None:
            return f'Grad-CAM of {self.layer!r}'
        kind = 'Grad-CAM' if self._classifier is None else 'exact class activation maps'
        return f'{kind} of {self._chosen.name!r} ({self._chosen.layout})'

    @property
    def title(self) -> str:
        """Kind of the maps, ``'CAM'`` or ``'Grad-CAM'``; the first images determine it."""
        return 'Grad-CAM' if self._classifier is None else 'CAM'

    @property
    def _classifier(self) -> nn.Linear | None:
        return None if self._chosen is None or self.exact is False else self._chosen.classifier

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, num_classes) and the layer's output; see :class:`Saliency`.

        Raises:
            ValueError: With the first images, if no layer serves.
        """
        chosen = self._chosen or self._choose(inputs)
        needs_gradient = self._classifier is None
        kept: list[Tensor] = []
        calls = -1

        def cut(module: nn.Module, args: tuple, output: Tensor) -> Tensor | None:
            nonlocal calls
            calls += 1
            if calls != chosen.call:
                return None
            if not needs_gradient:
                kept.append(output.detach().clone())  # later modules may change it in place
                return None
            kept.append(output.detach().requires_grad_())
            return kept[-1].clone()  # a copy, since a leaf must not be changed in place

        handle = self.model.get_submodule(chosen.name).register_forward_hook(cut)
        try:
            with torch.set_grad_enabled(needs_gradient):
                logits = self._logits(inputs)
        finally:
            handle.remove()
        if not kept:
            raise ValueError(
                f'cam_layer={chosen.name!r} ran {calls + 1} time(s) in this pass and '
                f'{chosen.call + 1} or more in the first; {CURE}'
            )
        return logits, kept[-1]

    def maps(
        self, logits: Tensor, features: Tensor, classes: Tensor, image_size: torch.Size
    ) -> Tensor:
        """Return maps (N, 1, h, w), >= 0 if of Grad-CAM; see :class:`Saliency`."""
        if self._chosen is None:
            raise RuntimeError('maps are made after a forward pass, which chooses the layer')
        size, layout = (image_size[0], image_size[1]), self._chosen.layout
        if self._classifier is not None:
            rows = self._classifier.weight
            return class_activation_map(layout.to_map(features, size), rows, classes)
        explained = torch.zeros_like(logits).scatter_(1, classes[:, None], 1)
        (gradients,) = torch.autograd.grad(logits, features, explained)
        return grad_cam(layout.to_map(features.detach(), size), layout.to_map(gradients, size))

    def exact_maps(self, features: Tensor, image_size: torch.Size) -> Tensor | None:
        """Return exact CAMs of all classes, or None for Grad-CAM; see :class:`Saliency`."""
        if self._chosen is None or self._classifier is None:
            return None
        size = (image_size[0], image_size[1])
        features = self._chosen.layout.to_map(features, size)
        return class_activation_maps(features, self._classifier.weight)

    def _choose(self, inputs: Tensor) -> CamLayer:
        # autocast would round what the proof compares
        with torch.autocast(inputs.device.type, enabled=False):
            chosen = find_cam_layer(
                self.model, self._logits, inputs[:_LOOK_AT], self.layer, self.num_extra_tokens
            )
        if self.exact and chosen.classifier is None:
            raise ValueError(
                "saliency='cam' needs a classifier whose logits are a linear layer on globally "
                f"averaged features, which this {type(self.model).__name__} hasn't; use "
                "'grad_cam' or 'auto'"
            )
        self._chosen, self.layer = chosen, chosen.name
        print_log(f'The teacher gives {self.source}', logger='current')
        return chosen
