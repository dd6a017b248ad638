"""Saliency by the network that is being trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from mmtmix.checks import check_number
from mmtmix.functional import gradient_saliency, soft_cross_entropy
from mmtmix.models.losses import clean_factor
from mmtmix.models.recomputation import without_recomputation

from .base import SALIENCY_SOURCES, SaliencySource
from .live_model import live_model


@SALIENCY_SOURCES.register_module()
class InputGradient(SaliencySource):
    """Compute the root mean square over channels of the loss's gradient (PuzzleMix, Eq. 5).

    The live model, which ``LiveModelHook`` registers, runs in eval mode and is differentiated by
    the images alone. Gradients of parameters and running statistics stay untouched. Activation
    checkpointing is off in that pass, since ``torch.autograd.grad`` does not work through it.

    With ``clean_lam`` the model also learns the clean images, by a cross entropy. Its factor
    depends on the loss on mixed images, as in the public code of PuzzleMix and Co-Mixup. It is
    ``clean_lam`` beside a cross entropy, and ``2 * clean_lam / num_classes`` beside
    :class:`~mmtmix.models.SoftmaxBCELoss`; see :func:`~mmtmix.models.losses.clean_factor`.

    Args:
        clean_lam: Weight of the loss on clean images, >= 0. With a value > 0 it is added to the
            losses as ``loss_clean``. The model then runs in train mode, and one pass serves for
            saliency and loss.
        clean_factor: Factor of ``clean_lam``, > 0, for a loss whose factor is not built in. By
            default it follows from the loss of the model.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``clean_lam`` is negative or ``clean_factor`` is not positive.
    """

    def __init__(self, clean_lam: float = 0.0, clean_factor: float | None = None):
        check_number('clean_lam', clean_lam, 0)
        if clean_factor is not None:
            cure = "None takes that of the model's loss"
            check_number('clean_factor', clean_factor, above=0, cure=cure)
        self.clean_lam = clean_lam
        self.clean_factor = clean_factor

    @property
    def title(self) -> str:
        """See :attr:`SaliencySource.title`."""
        return 'Input gradient'

    @property
    def adds_loss(self) -> bool:
        """See :attr:`SaliencySource.adds_loss`."""
        return self.clean_lam > 0

    @property
    def needs_network(self) -> bool:
        """See :attr:`SaliencySource.needs_network`."""
        return True

    def __call__(self, batch_inputs: Tensor, batch_scores: Tensor) -> Tensor:
        """See :meth:`SaliencySource.__call__`.

        Raises:
            RuntimeError: If no ``LiveModelHook`` has registered a model.
            ValueError: If ``clean_lam`` is > 0 and the model's loss has no built-in factor.
        """
        live = live_model()
        keeps_graph = self.clean_lam > 0
        # before the forward pass, so that a loss without a factor fails at once
        factor = self._factor_beside(live.model, batch_scores.size(1)) if keeps_graph else 0.0
        mode = nullcontext() if keeps_graph else _eval(live.model)
        with torch.enable_grad(), mode, without_recomputation(live.model):
            images = batch_inputs.detach().requires_grad_()
            losses = soft_cross_entropy(live.model(images, mode='tensor'), batch_scores)
            # each image has its own loss, so a sum will do; a mean would underflow in float16
            (gradient,) = torch.autograd.grad(losses.sum(), images, retain_graph=keeps_graph)
            if keeps_graph:  # in this block, since the caller may have switched gradients off
                live.losses['loss_clean'] = factor * losses.mean()
        return gradient_saliency(gradient)

    def _factor_beside(self, model: nn.Module, num_classes: int) -> float:
        factor = self.clean_factor
        return self.clean_lam * (clean_factor(model, num_classes) if factor is None else factor)


@contextmanager
def _eval(model: nn.Module) -> Iterator[None]:
    """Put a whole model into eval mode, and restore the mode of each part at the end."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
