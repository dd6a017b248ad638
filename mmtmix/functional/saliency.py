"""Class activation maps and their scaling."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_number, check_numbers


def class_activation_map(features: Tensor, weight: Tensor, classes: Tensor) -> Tensor:
    """Classic CAM (Zhou et al. 2016): the feature maps weighted by a class's classifier row.

    Where ``logits = Linear(GAP(features))``, the mean of the map of class c is
    ``logit_c - bias_c``.

    Args:
        features: Last feature maps before global average pooling, (N, D, h, w).
        weight: Weight of the linear classifier, (num_classes, D).
        classes: The class of each image's map, int64 (N,).

    Returns:
        Raw, signed maps of shape (N, 1, h, w), float32.
    """
    rows = weight.float()[classes]
    return torch.einsum('nd,ndhw->nhw', rows, features.float()).unsqueeze(1)


def grad_cam(features: Tensor, gradients: Tensor) -> Tensor:
    """Grad-CAM (Selvaraju et al. 2017): feature maps weighted by their pooled gradients.

    Args:
        features: Activations of the chosen layer, (N, D, h, w).
        gradients: Gradient of the class's logit with respect to them, (N, D, h, w).

    Returns:
        Maps >= 0 of shape (N, 1, h, w), float32.
    """
    importance = gradients.float().mean(dim=(2, 3), keepdim=True)
    return (importance * features.float()).sum(dim=1, keepdim=True).relu()


def gradient_saliency(gradients: Tensor) -> Tensor:
    """How much an image matters at each pixel: root mean square of a gradient over channels.

    Args:
        gradients: With respect to the images, (N, C, H, W).

    Returns:
        Maps >= 0 of shape (N, 1, H, W), float32.
    """
    return gradients.float().square().mean(dim=1, keepdim=True).sqrt()


def min_max(cam: Tensor, eps: float = 1e-7) -> Tensor:
    """Scale each map to [0, 1]; a constant map becomes 0, one with NaN or infinity holds NaN.

    Ours: teachers' CAMs are scaled at their own size and resized afterwards. The paper does not
    give the order. Resized maps then need not reach 0 and 1.

    Args:
        cam: Raw maps, (N, 1, h, w).
        eps: A range below this share of the map's largest magnitude counts as constant.

    Returns:
        Saliency in [0, 1], (N, 1, h, w), in the dtype of ``cam``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('eps', eps, above=0)
    # half precision has neither room for the range of its numbers nor for eps
    wide = cam.to(torch.promote_types(cam.dtype, torch.float32))
    low = wide.amin(dim=(-2, -1), keepdim=True)
    high = wide.amax(dim=(-2, -1), keepdim=True)
    span = high - low
    # relative, since the gradients behind Grad-CAM can be of any size
    least = (torch.maximum(high.abs(), low.abs()) * eps).clamp_min(torch.finfo(wide.dtype).tiny)
    return ((wide - low) / torch.maximum(span, least)).to(cam.dtype)


def visible_shares(saliency: Tensor, masks: Tensor) -> Tensor:
    """Share of each image in what can be seen of the saliency of all.

    Args:
        saliency: Maps >= 0 where the images lie in the mix, (N, k, 1, h, w).
        masks: (N, k, 1, h, w).

    Returns:
        (N, k), rows on the simplex; equal shares where no saliency is seen, NaN where it is NaN.
    """
    seen = (saliency.float() * masks.float()).sum(dim=(2, 3, 4))
    total = seen.sum(dim=1, keepdim=True)
    equal = torch.full_like(seen, 1 / seen.size(1))
    # not by total > 0, which would hide NaN
    return torch.where(total <= 0, equal, seen / total.clamp_min(1e-12))


def resize_map(maps: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Resize maps bilinearly (``align_corners=False``); keeps a sum of 1 over channels.

    Args:
        maps: (N, c, h, w).
        size: Side of the square result, or its (height, width).

    Returns:
        (N, c, height, width).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    target = (size, size) if isinstance(size, int) else tuple(size)
    check_numbers('size', target, 2, 1, whole=True)
    if maps.shape[-2:] == target:
        return maps
    return F.interpolate(maps, size=target, mode='bilinear', align_corners=False)
