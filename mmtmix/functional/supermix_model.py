"""A linear model of SuperMix's teacher, which improves masks at the price of no backward pass."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_integer

from .smooth import gaussian_kernel
from .supermix_objective import SuperMixSettings, newton_step, objective

# Chosen on two batches with the teacher of docs/costs.md, among 10 and 20 steps, bounds of 3 to 5
# and sparsities of 2 to 8. Masks beyond the bound are saturated, and hardly move in later steps.
_STEPS, _BOUND, _SPARSITY = 10, 3.7, 5.0
# Share of a margin that saliency gets. The others hold for CAMs, which are exact.
_TRUST = 0.5


def evidence_from_cams(cams: Tensor, logits: Tensor, size: int) -> Tensor:
    """Return maps whose means are an image's logits, from the exact CAMs of all classes.

    Args:
        cams: Exact CAMs of all classes, (N, num_classes, h, w).
        logits: Teacher's logits, (N, num_classes).
        size: Side of the result in pixels, >= 1.

    Returns:
        Evidence for each class at each position, float32 (N, num_classes, size, size).

    Raises:
        TypeError: If ``size`` is no integer.
        ValueError: If ``size`` is not positive.
    """
    check_integer('size', size, 1)
    maps = F.interpolate(cams.float(), size=(size, size), mode='area')
    return maps + (logits.float() - maps.mean(dim=(2, 3)))[..., None, None]


def evidence_from_saliency(saliency: Tensor, logits: Tensor, classes: Tensor, size: int) -> Tensor:
    """Return maps of what an image adds to its class's logit, and 0 for other classes.

    Their mean is half of the margin by which the logit exceeds the mean of the others.

    Args:
        saliency: Saliency of each image for its class, in [0, 1], (N, 1, h, w).
        logits: Teacher's logits, (N, num_classes).
        classes: Class of each image, int64 (N,).
        size: Side of the result in pixels, >= 1.

    Returns:
        Evidence for each class at each position, float32 (N, num_classes, size, size).

    Raises:
        TypeError: If ``size`` is no integer.
        ValueError: If ``size`` is not positive.
    """
    check_integer('size', size, 1)
    logits = logits.float()
    own = logits.gather(1, classes[:, None])
    others = (logits.sum(dim=1, keepdim=True) - own) / max(logits.size(1) - 1, 1)
    maps = F.interpolate(saliency.float(), size=(size, size), mode='area')
    scale = _TRUST * (own - others) / maps.mean(dim=(2, 3)).clamp(min=1e-3)
    evidence = maps.new_zeros(*logits.shape, size, size)
    index = classes[:, None, None, None].expand_as(maps)
    return evidence.scatter_(1, index, maps * scale[..., None, None])


class MaskModel:
    """A model of a teacher's logits for mixes that is linear in the masks; the method is ours.

    In the model, each image adds its evidence to the logits wherever its mask shows it. The
    Newton steps of the solver optimise masks for it, which takes no convolution. After a pass of
    the teacher the model is shifted, sample by sample, so that it gives the teacher's logits for
    the present masks.

    Args:
        evidence: Evidence of each image for each class at each position, (N, k, num_classes, w, w)
            with w = ``mask_size``.
        classes: Class that the mix should show of each image, int64 (N, k).
        weights: Share of each class in the target, (N, k), rows on the simplex.
        settings: Settings of the solver, except for its method and sparsity.
    """

    def __init__(
        self, evidence: Tensor, classes: Tensor, weights: Tensor, settings: SuperMixSettings
    ):
        self._settings = replace(settings, method='newton', lambda_s=_SPARSITY)
        # (N, num_classes, k * w * w), so that logits are one matrix product
        self._evidence = evidence.float().transpose(1, 2).flatten(2)
        self._offsets = torch.zeros_like(self._evidence[..., :1])
        self._classes, self._weights = classes, weights.float()
        self._kernel = gaussian_kernel(settings.sigma, settings.legacy_kernel).to(evidence.device)

    def correct(self, samples: Tensor, raw: Tensor, logits: Tensor) -> None:
        """Shift the model so that it gives the teacher's logits for the present masks.

        Args:
            samples: Numbers of the samples, int64 (n,).
            raw: Raw masks that the teacher's mixes were made with, (n, k, w, w).
            logits: Teacher's logits for these mixes, (n, num_classes).
        """
        with torch.autocast(raw.device.type, enabled=False):
            modelled = _logits(self._evidence[samples], self._offsets[samples], _squash(raw))
        self._offsets[samples] += (logits.float() - modelled)[..., None]

    def improve(self, samples: Tensor, raw: Tensor) -> Tensor:
        """Return raw masks that suit the model better, float32 (n, k, w, w), between -3.7 and 3.7.

        Args:
            samples: Numbers of the samples, int64 (n,).
            raw: Raw masks to start from, (n, k, w, w).
        """
        evidence, offsets = self._evidence[samples], self._offsets[samples]
        classes, weights = self._classes[samples], self._weights[samples]
        for _ in range(_STEPS):
            variables = raw.detach().requires_grad_()
            with torch.enable_grad(), torch.autocast(raw.device.type, enabled=False):
                masks = _squash(variables)
                logits = _logits(evidence, offsets, masks)
                losses = objective(logits, masks, classes, weights, self._settings)
                (gradients,) = torch.autograd.grad(losses.sum(), variables)
                step = newton_step(losses.detach(), gradients, self._kernel, self._settings)
            raw = (raw - step).clamp(-_BOUND, _BOUND)
        return raw


def _logits(evidence: Tensor, offsets: Tensor, masks: Tensor) -> Tensor:
    pixels = masks.size(-2) * masks.size(-1)
    return (evidence @ (masks / pixels).flatten(1)[..., None] + offsets).squeeze(2)


def _squash(raw: Tensor) -> Tensor:
    return torch.softmax(F.logsigmoid(raw), dim=1)
