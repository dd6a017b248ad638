"""Where SuperMix's solver starts: masks from saliency, at the price of no pass of the teacher."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .smooth import gaussian_kernel
from .supermix_objective import SuperMixSettings, newton_step, objective

# Of the sparsities 5 and 10, the bounds 3 and 4 and the shares 0.5 and 1 of the logits' margin,
# these finished most mixes of three images per pass that were no denser, with the teacher of
# docs/costs.md. Masks beyond the bound are saturated, and hardly move in later steps.
_STEPS, _BOUND, _SPARSITY, _TRUST = 10, 3.0, 5.0, 0.5


def start_from_saliency(
    saliency: Tensor,
    logits: Tensor,
    classes: Tensor,
    weights: Tensor,
    settings: SuperMixSettings | None = None,
) -> Tensor:
    """Return raw masks that suit a linear model of the teacher, made of saliency maps.

    The method is ours. In the model, an image's class gains as much of its logit's margin as the
    mask shows of its saliency. The Newton steps of the solver optimise this model, which has no
    convolutions. Each mix gets the masks that its target's weights need, so that areas follow
    the weights more closely than from constant masks.

    Args:
        saliency: Saliency of each image for its class, in [0, 1], (N, k, h, w).
        logits: Teacher's logits for each unmixed image, (N, k, num_classes).
        classes: Class that the mix should show of each image, int64 (N, k).
        weights: Share of each class in the target, (N, k), rows on the simplex.
        settings: Settings of the solver, of which the masks' size and smoothing count; the
            defaults if None.

    Returns:
        Raw masks for :func:`solve_masks`, float32 (N, k, w, w), between -3 and 3.

    Raises:
        ValueError: If the shapes don't fit together.
    """
    settings = settings or SuperMixSettings()
    _check(saliency, logits, classes, weights)
    model = SuperMixSettings(
        mask_size=settings.mask_size,
        sigma=settings.sigma,
        legacy_kernel=settings.legacy_kernel,
        lambda_s=_SPARSITY,
    )
    kernel = gaussian_kernel(model.sigma, model.legacy_kernel).to(saliency.device)
    with torch.inference_mode(False), torch.autocast(saliency.device.type, enabled=False):
        saliency, logits, weights = saliency.float(), logits.float(), weights.float()
        saliency, logits, classes, weights = (
            each.clone() if each.is_inference() else each
            for each in (saliency, logits, classes, weights)
        )
        evidence = _evidence(saliency, logits, classes, model.mask_size)
        empty = torch.zeros_like(logits[:, 0])
        raw = torch.zeros_like(evidence)
        for _ in range(_STEPS):
            variables = raw.requires_grad_()
            with torch.enable_grad():
                masks = torch.softmax(F.logsigmoid(variables), dim=1)
                shown = (masks * evidence).mean(dim=(2, 3))
                modelled = empty.scatter_add(1, classes, shown)
                losses = objective(modelled, masks, classes, weights, model)
                (gradients,) = torch.autograd.grad(losses.sum(), variables)
            step = newton_step(losses.detach(), gradients, kernel, model)
            raw = (raw.detach() - step).clamp(-_BOUND, _BOUND)
    return raw


def _evidence(saliency: Tensor, logits: Tensor, classes: Tensor, size: int) -> Tensor:
    """Return maps (N, k, w, w) whose means are a share of the margins of the images' classes."""
    own = logits.gather(2, classes.unsqueeze(2)).squeeze(2)
    others = (logits.sum(dim=2) - own) / max(logits.size(2) - 1, 1)
    maps = F.interpolate(saliency, size=(size, size), mode='bilinear', align_corners=False)
    scale = _TRUST * (own - others) / maps.mean(dim=(2, 3)).clamp(min=1e-3)
    return maps * scale[..., None, None]


def _check(saliency: Tensor, logits: Tensor, classes: Tensor, weights: Tensor) -> None:
    shapes = {tuple(each.shape[:2]) for each in (saliency, logits, classes, weights)}
    dims = saliency.dim(), logits.dim(), classes.dim(), weights.dim()
    if len(shapes) > 1 or dims != (4, 3, 2, 2):
        raise ValueError(
            'saliency must be (N, k, h, w), logits (N, k, num_classes), classes and weights (N, '
            f'k); got {tuple(saliency.shape)}, {tuple(logits.shape)}, {tuple(classes.shape)} and '
            f'{tuple(weights.shape)}'
        )
