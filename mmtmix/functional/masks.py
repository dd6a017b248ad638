"""Masks from layers, from the height of a map, and from cells of a grid."""

from __future__ import annotations

import importlib
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_integer, check_number, check_numbers

DIGITS, BITS = 3, 8
FEW_PIXELS = 256


def layer_shares(weights: Tensor) -> Tensor:
    """Return the share that each partner covers of the picture below it.

    If partner i covers this share of everything below it, the visible areas are the weights. For
    two images the share is the partner's weight.

    Args:
        weights: Shares of the images, own first, (N, k), rows on the simplex.

    Returns:
        Shares in [0, 1], (N, k - 1), in the dtype of ``weights``.
    """
    made_of = weights.cumsum(dim=1).clamp_min(torch.finfo(weights.dtype).tiny)
    return (weights / made_of)[:, 1:].clamp(0, 1)


def layer_masks(covers: Tensor) -> Tensor:
    """Return the masks of images that are laid over the own image, one after another.

    Args:
        covers: Share of what lies below that each partner hides, in [0, 1] or bool,
            (N, k - 1, H, W).

    Returns:
        Masks (N, k, 1, H, W) in the dtype of ``covers``, or float32 for bool, summing to 1 over k;
        one-hot where the covers are 0 or 1.
    """
    covers = covers.float() if covers.dtype == torch.bool else covers
    last = covers.size(1) - 1
    masks, left = [covers[:, last]], 1 - covers[:, last]
    for i in reversed(range(last)):
        masks.insert(0, left * covers[:, i])
        left = left * (1 - covers[:, i])
    return torch.stack([left, *masks], dim=1).unsqueeze(2)


def level_masks(maps: Tensor, weights: Tensor) -> Tensor:
    """Return masks that give each image the pixels between two heights of a map.

    The own image has the highest pixels (FMix: the top lam * H * W), the next image the next ones.

    Args:
        maps: Maps of finite values, (N, H, W). Equal values go to the same image; on the CPU those
            within 2^-24 of a map's range count as equal.
        weights: Shares of the images, own first, (N, k), rows on the simplex.

    Returns:
        One-hot float32 masks of shape (N, k, 1, H, W), whose areas are the weights but for
        rounding to whole pixels.
    """
    return layer_masks(level_covers(maps, weights))


def level_covers(maps: Tensor, weights: Tensor) -> Tensor:
    """Return where each partner has the pixels of :func:`level_masks`.

    Args:
        maps: Maps of finite values, (N, H, W).
        weights: Shares of the images, own first, (N, k), rows on the simplex.

    Returns:
        Covers of the partners, 0 or 1, which do not overlap, float32 (N, k - 1, H, W).
    """
    flat = maps.flatten(1)
    counts = (weights.cumsum(dim=1)[:, :-1] * flat.size(1)).round().long()
    few = not flat.is_cpu or flat.size(1) <= FEW_PIXELS
    heights, find = (flat, _nth_by_sort) if few else (_steps(flat), _nth_of_steps)
    # the own image is above the first height, the last partner below the last one
    below = (heights[:, None] < find(heights, counts)[..., None]).to(torch.float32)
    if below.size(1) > 1:
        below = torch.cat([below[:, :-1] - below[:, 1:], below[:, -1:]], dim=1)
    return below.view(len(maps), -1, *maps.shape[-2:])


def soft_level_masks(maps: Tensor, lam: Tensor, max_soft: float) -> Tensor:
    """Return masks as :func:`level_masks` for two images, with an edge that falls off by rank.

    Args:
        maps: Maps of finite values, (N, H, W).
        lam: Shares of the own images, in [0, 1], (N,).
        max_soft: Share of the pixels to each side of the edge that belong to both images, in
            [0, 0.5]; at most the whole share of an image.

    Returns:
        float32 masks of shape (N, 2, 1, H, W), whose areas are the shares but for rounding to
        whole pixels.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_number('max_soft', max_soft, 0, 0.5)
    flat = maps.flatten(1)
    pixels, lam = flat.size(1), lam[:, None]
    rank = flat.argsort(dim=1, descending=True).argsort(dim=1)
    count = (lam * pixels).round()
    soft = (torch.minimum(lam, 1 - lam).clamp_max(max_soft) * pixels).floor()
    # rounding of the count must not push the edge out of the picture
    soft = torch.minimum(soft, torch.minimum(count, pixels - count))
    ramp = 1 - (rank - (count - soft)) / (2 * soft - 1).clamp_min(1)
    own = torch.where(soft > 0, ramp.clamp(0, 1), (rank < count).float())
    return torch.stack([own, 1 - own], dim=1).view(len(maps), 2, 1, *maps.shape[-2:])


def _nth_by_sort(rows: Tensor, count: Tensor) -> Tensor:
    """Return the ``count``-th largest values of each row, (N, c); infinity for a count of 0."""
    ordered = rows.sort(dim=1, descending=True).values
    found = ordered.gather(1, (count - 1).clamp_min(0))
    return torch.where(count > 0, found, torch.inf)


def _steps(rows: Tensor) -> Tensor:
    """Scale each row's range to whole numbers of ``DIGITS`` digits of ``BITS`` bits, int32."""
    low = rows.amin(dim=1, keepdim=True)
    span = (rows.amax(dim=1, keepdim=True) - low).clamp_min(torch.finfo(rows.dtype).tiny)
    return ((rows - low) / span * (2 ** (DIGITS * BITS) - 1)).int()


def _nth_of_steps(steps: Tensor, count: Tensor) -> Tensor:
    """Return what :func:`_nth_by_sort` returns, for :func:`_steps` on the CPU."""
    if not _numpy_sorts_fast():
        return torch.cat([_nth_by_counts(steps, one) for one in count.split(1, dim=1)], dim=1)
    ordered = steps.numpy().copy()
    ordered.sort(axis=1)
    place = (steps.size(1) - count).clamp_max(steps.size(1) - 1)
    found = torch.from_numpy(ordered).gather(1, place)
    return torch.where(count > 0, found, 2 ** (DIGITS * BITS))


@lru_cache(maxsize=1)
def _numpy_sorts_fast() -> bool:
    """Whether NumPy is there and sorts by vector instructions, ten times faster than torch."""
    try:
        version = importlib.import_module('numpy').__version__
    except ImportError:
        return False
    return int(version.partition('.')[0]) >= 2


def _nth_by_counts(steps: Tensor, count: Tensor) -> Tensor:
    """Return what :func:`_nth_of_steps` returns, for a single count of each row, (N, 1).

    It finds one digit after another, from the highest, by counting.
    """
    below = (steps.size(1) - count).int()
    found = torch.zeros_like(below)
    for digit in reversed(range(DIGITS)):
        # what differs in a higher digit counts as below or above all that don't
        digits = (steps >> digit * BITS).sub_(found << BITS).clamp_(-1, 2**BITS).add_(1)
        counts = torch.zeros(len(steps), 2**BITS + 2, dtype=torch.int32)
        counts.scatter_add_(1, digits.long(), counts.new_ones(()).expand_as(digits))
        ends = counts.cumsum(dim=1, dtype=torch.int32)
        own = torch.searchsorted(ends, below, right=True, out_int32=True) - 1
        found = (found << BITS) + own
    return found


def top_cells(maps: Tensor, grid_size: int, num_cells: int) -> Tensor:
    """Return the cells of a grid in which a map is highest (Attentive CutMix).

    Args:
        maps: Maps, (N, 1, h, w); each cell has their mean over it.
        grid_size: Number of cells along each side, >= 1.
        num_cells: Number of cells to take, 1 to grid_size squared.

    Returns:
        Grid in float32 of shape (N, grid_size, grid_size), 1 in exactly ``num_cells`` cells and 0
        elsewhere.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('grid_size', grid_size, 1)
    check_integer('num_cells', num_cells, 1, grid_size**2)
    cells = F.adaptive_avg_pool2d(maps.float(), grid_size).flatten(1)
    highest = cells.topk(num_cells, dim=1).indices
    return torch.zeros_like(cells).scatter(1, highest, 1.0).unflatten(1, (grid_size, grid_size))


def enlarge_cells(grid: Tensor, height: int, width: int) -> Tensor:
    """Return a picture in which each pixel has the value of the cell that it lies in.

    Cells differ by a pixel where the picture's sides are no multiples of the grid's.

    Args:
        grid: Value of each cell, (..., h, w).
        height: Height H of the picture in pixels, >= h.
        width: Width W of the picture in pixels, >= w.

    Returns:
        Values of the pixels, (..., H, W).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the picture has fewer pixels along a side than the grid has cells.
    """
    check_integer('height', height, 1)
    check_integer('width', width, 1)
    rows, columns = grid.shape[-2:]
    if height < rows or width < columns:
        raise ValueError(
            f'a grid of {rows}x{columns} cells does not fit images of {height}x{width} pixels; '
            'use a smaller grid_size'
        )
    return upsample_cells(grid, (height, width))


def cells_of_pixels(size: int, cells: int, device: torch.device | None = None) -> Tensor:
    """Return the cell of each pixel along a side, int64 (size,).

    Args:
        size: Number of pixels, >= 1.
        cells: Number of cells, >= 1.
        device: Device of the result.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('size', size, 1)
    check_integer('cells', cells, 1)
    # whole numbers: the scale of a nearest interpolation would be rounded
    return torch.arange(size, device=device) * cells // size


def upsample_cells(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the value of its cell for each pixel, without :func:`enlarge_cells`' check.

    Args:
        values: Value of each cell, (..., rows, columns).
        size: Height and width of the image in pixels; fewer than cells leave some out.

    Returns:
        Values of the pixels, (..., height, width).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_numbers('size', size, 2, 1, whole=True)
    rows = cells_of_pixels(size[0], values.size(-2), values.device)
    columns = cells_of_pixels(size[1], values.size(-1), values.device)
    # columns first: copying whole rows is the faster of the two
    return values.index_select(-1, columns).index_select(-2, rows)
