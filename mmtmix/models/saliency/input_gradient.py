"""Saliency by the network that is being trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from mmtmix.functional import gradient_saliency, soft_cross_entropy
from mmtmix.models.recomputation import without_recomputation

from .base import SALIENCY_SOURCES, SaliencySource
from .live_model import live_model


@SALIENCY_SOURCES.register_module()
class InputGradient(SaliencySource):
    """Root mean square over channels of the loss's gradient by the image (PuzzleMix, Eq. 5).

    It asks the live model, which ``LiveModelHook`` hands over, in eval mode, and differentiates
    by the images alone: gradients of parameters and running statistics stay untouched. Activation
    checkpointing is off in that pass, since ``torch.autograd.grad`` does not work through it.

    Args:
        clean_lam: With a value > 0 the loss on the clean images is trained on as well, with this
            factor, as ``loss_clean``. The model is then asked in train mode, and that pass serves
            for both.

    Raises:
        ValueError: If ``clean_lam`` is negative.
    """

    def __init__(self, clean_lam: float = 0.0):
        if not isinstance(clean_lam, (int, float)) or not clean_lam >= 0:
            raise ValueError(f'clean_lam must be >= 0, got {clean_lam!r}')
        self.clean_lam = clean_lam

    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """See :meth:`SaliencySource.__call__`.

        Raises:
            RuntimeError: If no ``LiveModelHook`` has handed a model over.
        """
        live = live_model()
        keeps_graph = self.clean_lam > 0
        mode = nullcontext() if keeps_graph else _eval(live.model)
        with torch.enable_grad(), mode, without_recomputation(live.model):
            images = batch_inputs.detach().requires_grad_()
            losses = soft_cross_entropy(live.model(images, mode='tensor'), batch_scores)
            # a sum: each image has its own loss, and in half precision a mean would underflow
            (gradient,) = torch.autograd.grad(losses.sum(), images, retain_graph=keeps_graph)
            if keeps_graph:  # within: whoever asks may have switched gradients off
                live.losses['loss_clean'] = self.clean_lam * losses.mean()
        return gradient_saliency(gradient)


@contextmanager
def _eval(model: nn.Module) -> Iterator[None]:
    """Put a whole model into eval mode, and each part back into its own."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
