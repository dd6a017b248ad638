"""Soft masks: a softmax over images, areas that are held at the weights, and a blur."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_integer, check_number

from .saliency import min_max, resize_map
from .smooth import gaussian_kernel

LEAST_SHARE = 1e-6
"""Share at which smaller weights and masks count, whose logarithms would be too far from 0."""
SWEEPS = 2
STEPS = 12
JOINT_SIZES = (1.0, 0.3, 0.05, 0.0)


def square_maps(saliency: Tensor, size: int) -> Tensor:
    """Return saliency of any scale and size as square maps in [0, 1].

    Larger maps are averaged first, so that a single high pixel does not set the scale. Then each
    map is scaled by :func:`min_max`. Smaller maps are enlarged bilinearly after that, as a
    teacher's CAMs are for TransformMix.

    Args:
        saliency: Maps >= 0, (N, 1, h, w).
        size: Side of the result in cells, >= 1.

    Returns:
        Maps in [0, 1], float32 (N, 1, size, size); zeros for a constant map.

    Raises:
        TypeError: If ``size`` is no integer.
        ValueError: If ``size`` is below 1.
    """
    check_integer('size', size, 1)
    maps, (height, width) = saliency.float(), saliency.shape[-2:]
    if height > size or width > size:
        maps = F.adaptive_avg_pool2d(maps, (min(height, size), min(width, size)))
    return resize_map(min_max(maps), size)


def area_shares(cells: int, pixels: int) -> Tensor:
    """Return what each cell of a row adds to the mean of the row that :func:`resize_map` makes.

    Args:
        cells: Number of cells of the row, >= 1.
        pixels: Number of pixels of the resized row, >= 1.

    Returns:
        Shares that sum to 1, float32 (cells,), on the CPU.

    Raises:
        TypeError: If a number is no integer.
        ValueError: If a number is below 1.
    """
    check_integer('cells', cells, 1)
    check_integer('pixels', pixels, 1)
    single = torch.eye(cells).view(1, cells, 1, cells)  # a map per cell, 1 there and 0 elsewhere
    return resize_map(single, (1, pixels)).mean(dim=(0, 2, 3))


def hold_areas(logits: Tensor, weights: Tensor, shares: Tensor | None = None) -> Tensor:
    """Return mask logits, each map shifted by one number, whose masks have given areas.

    For each mix it finds the numbers b with ``mean_u softmax_i(logits_i(u) + b_i) = weights_i``.
    They exist, and are unique up to a number that all images share. With two images it is a root
    of one variable, found by Newton's method within a bracket that is halved where Newton leaves
    it. With more images, they are found one after another in several sweeps. The number of steps
    is fixed, so the host never waits for a device.

    Args:
        logits: Logits of the masks, finite, (M, k, h, w).
        weights: Areas of the masks, (M, k), rows on the simplex. One below 1e-6 counts as 1e-6.
        shares: Share of each cell in the area, (h, w), summing to 1; None for equal shares.

    Returns:
        Shifted logits, float32 (M, k, h, w). With two images the areas of their softmax are
        within 1e-4 of the weights. So they are with more, unless masks are nearly hard: where
        logits differ by more than about 20, an area may be off by some hundredths.
    """
    flat = logits.detach().float().flatten(2)
    wanted = weights.detach().float().clamp(LEAST_SHARE, 1 - LEAST_SHARE)
    if shares is None:
        shares = flat.new_full(flat.shape[2:], 1 / flat.size(2))
    shares = shares.to(flat).flatten()
    # autocast would round the products, to areas that are off by some thousandths
    with torch.autocast(flat.device.type, enabled=False):
        shift = _shifts(flat, wanted, shares)
    return logits.float() + shift.view(*shift.shape, 1, 1)


def _shifts(flat: Tensor, wanted: Tensor, shares: Tensor) -> Tensor:
    """Return the numbers b of :func:`hold_areas`, (M, k).

    Args:
        flat: Logits, (M, k, P).
        wanted: Areas, (M, k).
        shares: Share of each cell, (P,).
    """
    count = flat.size(1)
    shift = wanted.log() - (flat @ shares)
    # the first image keeps its shift, since only differences matter
    for _ in range(1 if count == 2 else SWEEPS):
        for i in range(1, count):
            moved = flat + shift[..., None]
            others = torch.cat([moved[:, :i], moved[:, i + 1 :]], dim=1).logsumexp(dim=1)
            shift[:, i] = _root(flat[:, i] - others, wanted[:, i], shares, shift[:, i])
    if count > 2:
        for _ in range(STEPS):
            shift = _joint_step(flat, wanted, shares, shift)
    return shift


def _root(margin: Tensor, area: Tensor, shares: Tensor, start: Tensor) -> Tensor:
    """Return the numbers b, (M,), at which ``sum_u shares(u) sigmoid(margin(u) + b)`` is an area.

    Args:
        margin: Logits of one image above those of the others, (M, P).
        area: Areas in (0, 1), (M,).
        shares: Share of each cell, (P,).
        start: First guess of b, (M,).
    """
    goal = area.logit()
    low, high = goal - margin.amax(dim=1), goal - margin.amin(dim=1)
    root = torch.minimum(torch.maximum(start, low), high)
    for _ in range(STEPS):
        mask = torch.sigmoid(margin + root[:, None])
        mean = (mask @ shares).clamp(LEAST_SHARE / 4, 1 - LEAST_SHARE / 4)
        # on the logit of the area, which is a straight line for a constant map
        slope = ((mask * (1 - mask)) @ shares) / (mean * (1 - mean))
        excess = mean.logit() - goal
        low = torch.where(excess <= 0, root, low)
        high = torch.where(excess >= 0, root, high)
        newton = root - excess / slope.clamp_min(1e-6)
        inside = (newton >= low) & (newton <= high)
        root = torch.where(inside, newton, (low + high) / 2)
    return root


def _joint_step(flat: Tensor, wanted: Tensor, shares: Tensor, shift: Tensor) -> Tensor:
    """Return the shifts after one step of Newton's method on all of them, (M, k).

    Each mix takes the longest of several steps that lowers the largest error of its areas by
    most, or none.

    Args:
        flat: Logits, (M, k, P).
        wanted: Areas, (M, k).
        shares: Share of each cell, (P,).
        shift: Shifts before the step, (M, k).
    """
    masks = torch.softmax(flat + shift[..., None], dim=1)
    excess = (masks @ shares - wanted)[:, 1:]
    curvature = -torch.einsum('mip,mjp,p->mij', masks[:, 1:], masks[:, 1:], shares)
    diagonal = (masks[:, 1:] @ shares).clamp_min(LEAST_SHARE)
    curvature = curvature + torch.diag_embed(diagonal + LEAST_SHARE)
    # without a check of the solution, for which the host would wait
    step, _ = torch.linalg.solve_ex(curvature, excess)
    sizes = flat.new_tensor(JOINT_SIZES)[:, None, None]
    tried = shift - sizes * F.pad(step, (1, 0))
    areas = torch.stack([torch.softmax(flat + each[..., None], dim=1) @ shares for each in tried])
    error = (areas - wanted).abs().amax(dim=2).nan_to_num(torch.inf)
    best = error.argmin(dim=0)
    return tried[best, torch.arange(len(best), device=best.device)]


def softmax_masks(
    saliency: Tensor,
    weights: Tensor,
    temperature: float,
    anchor: float | None = None,
    shares: Tensor | None = None,
) -> Tensor:
    """Return masks that are a softmax of saliency over the images of each mix.

    ``M_i(u) = softmax_i(S_i(u) / temperature + b_i)`` with ``b_i = anchor * log(weights_i)``, or
    with the b of :func:`hold_areas`.

    Args:
        saliency: Saliency of the images of each mix, with or without noise, (M, k, 1, h, w).
        weights: Shares of the images of each mix, (M, k), rows on the simplex.
        temperature: Softness of the masks, > 0; low ones are nearly hard.
        anchor: Factor of the weights' logarithms, >= 0; None holds the areas exactly.
        shares: Share of each cell in the area, (h, w), with ``anchor=None``; None for equal ones.

    Returns:
        Masks, float32 (M, k, 1, h, w), that sum to 1 over k.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('temperature', temperature, above=0)
    logits = saliency.squeeze(2).float() / temperature
    if anchor is None:
        logits = hold_areas(logits, weights, shares)
    else:
        check_number('anchor', anchor, 0)
        # a product by 1 is exact; 0 has no logarithm
        logits = logits + anchor * weights.clamp_min(LEAST_SHARE).log()[..., None, None]
    return torch.softmax(logits, dim=1).unsqueeze(2)


def blur_masks(masks: Tensor, sigma: float) -> Tensor:
    """Blur masks by a Gaussian, and divide by their sum, so that they still sum to 1.

    Nothing lies beyond the border: each pixel becomes the weighted mean of the pixels around it
    that the picture has. So a mask that touches the border does not fade there, and a constant
    mask stays as it is.

    Args:
        masks: Masks (M, k, 1, h, w), that sum to 1 over k.
        sigma: Standard deviation of the Gaussian in pixels, > 0. It is cut off at 2.5 of them.

    Returns:
        Blurred masks, (M, k, 1, h, w), in the dtype of ``masks``.

    Raises:
        TypeError: If ``sigma`` is no number.
        ValueError: If ``sigma`` is not positive.
    """
    check_number('sigma', sigma, above=0, cure='it is in pixels of the images')
    kernel = gaussian_kernel(sigma)
    wide = masks.squeeze(2).to(torch.promote_types(masks.dtype, torch.float32))
    with torch.autocast(wide.device.type, enabled=False):  # which would round the products
        for dim in (-2, -1):
            band = _blur_matrix(kernel, wide.size(dim)).to(wide, non_blocking=True)
            # over the rows or columns of all maps at once
            wide = (band @ wide) if dim == -2 else (wide @ band.T)
    wide = wide / wide.sum(dim=1, keepdim=True)
    return wide.unsqueeze(2).to(masks.dtype)


def _blur_matrix(kernel: Tensor, size: int) -> Tensor:
    """Return the matrix (size, size) that blurs a row of pixels; each row of it sums to 1."""
    reach = len(kernel) // 2
    offset = torch.arange(size) - torch.arange(size)[:, None] + reach
    inside = (offset >= 0) & (offset < len(kernel))
    band = torch.where(inside, kernel[offset.clamp(0, len(kernel) - 1)], torch.zeros(()))
    return band / band.sum(dim=1, keepdim=True)
