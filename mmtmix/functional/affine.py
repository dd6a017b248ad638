"""Affine warps and orientations, for the k images of every mix in one call."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_choice, check_integer

from .mixing import sum_of_products

PADDING_MODES = ('zeros', 'border', 'reflection')


def identity_theta(num_samples: int, num_mix: int, like: Tensor | None = None) -> Tensor:
    """Return the affine parameters of the identity.

    Args:
        num_samples: Number of samples N, >= 0.
        num_mix: Number of images per mix k, >= 1.
        like: Tensor whose dtype and device the result takes.

    Returns:
        Parameters theta, (N, k, 2, 3).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('num_samples', num_samples, 0)
    check_integer('num_mix', num_mix, 1)
    dtype, device = (like.dtype, like.device) if like is not None else (None, None)
    theta = torch.eye(2, 3, dtype=dtype, device=device)
    return theta.expand(num_samples, num_mix, 2, 3).clone()


def warp(
    images: Tensor, theta: Tensor, padding_mode: str = 'zeros', size: int | None = None
) -> Tensor:
    """Warp each image by its affine parameters (Jaderberg et al. 2015; TransformMix, Eq. 1).

    Bilinear with ``align_corners=False``. Outside of an image lie zeros by default, which is
    the mean colour of normalised inputs.

    Args:
        images: Images, (N, k, C, H, W).
        theta: Parameters (N, k, 2, 3), as of :func:`torch.nn.functional.affine_grid`: from
            normalised output coordinates to normalised input coordinates.
        padding_mode: Content outside of an image: ``'zeros'``, ``'border'`` or ``'reflection'``.
        size: Side of the square results in pixels, >= 1; None for the size of the images.

    Returns:
        The warped images, (N, k, C, H, W) or (N, k, C, size, size), in the dtype of ``images``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``padding_mode`` is none of the three, or ``size`` is not positive.
    """
    check_choice('padding_mode', padding_mode, PADDING_MODES)
    if size is not None:
        check_integer('size', size, 1)
    shape = images.shape[-2:] if size is None else (size, size)
    warped = _warp_each(images.flatten(0, 1), theta.flatten(0, 1), padding_mode, shape)
    return warped.to(images.dtype).unflatten(0, images.shape[:2])


def blend_warped(
    images: Tensor, index: Tensor, theta: Tensor, masks: Tensor, padding_mode: str = 'zeros'
) -> Tensor:
    """Warp images of a batch and blend them, without holding those of all mixes at once.

    It is ``blend(warp(images[index], theta, padding_mode), masks)``, in less time and memory.

    Args:
        images: Images of the batch, (N, C, H, W).
        index: Positions of the images of each mix, int64 (M, k).
        theta: Parameters of each image's warp, (M, k, 2, 3), as of :func:`warp`.
        masks: Mask of each image, (M, k, 1, H, W) or (M, k, 1, 1, 1).
        padding_mode: Content outside of an image, as of :func:`warp`.

    Returns:
        Mixes, (M, C, H, W), in float32 or the images' dtype if that is wider.

    Raises:
        ValueError: If ``padding_mode`` is none of the three.
    """
    check_choice('padding_mode', padding_mode, PADDING_MODES)
    columns = zip(index.unbind(1), theta.unbind(1), strict=True)
    warped = (
        _warp_each(images.index_select(0, column), own, padding_mode, images.shape[-2:])
        for column, own in columns
    )
    dtype = torch.promote_types(images.dtype, torch.float32)
    return sum_of_products(warped, masks.to(dtype).unbind(1))


def _warp_each(images: Tensor, theta: Tensor, padding_mode: str, size: Sequence[int]) -> Tensor:
    """Warp images (n, C, H, W) by parameters (n, 2, 3) to a size, in float32 or wider."""
    # under autocast too: in bfloat16 a coordinate of a 256-pixel picture is off by a pixel
    dtype = torch.promote_types(images.dtype, torch.float32)
    with torch.autocast(images.device.type, enabled=False):
        images, grid = images.to(dtype), _grid(theta.to(dtype), size)
        return F.grid_sample(images, grid, padding_mode=padding_mode, align_corners=False)


def _grid(theta: Tensor, size: Sequence[int]) -> Tensor:
    """Return the coordinates of :func:`torch.nn.functional.affine_grid`, (n, height, width, 2).

    Each is the sum of a term of its row and a term of its column. This takes one pass over the
    grid. The host's own function makes a matrix product of it, which takes three times as long.
    """
    rows, columns = (
        torch.linspace(-1, 1, side, dtype=theta.dtype, device=theta.device) * (1 - 1 / side)
        for side in size
    )
    of_columns = theta[:, None, :, 0] * columns[:, None] + theta[:, None, :, 2]
    of_rows = theta[:, None, :, 1] * rows[:, None]
    return of_rows[:, :, None] + of_columns[:, None]


def corner_shift(theta: Tensor) -> Tensor:
    """Return how far a warp moves the corners of an image, as a share of the image's side.

    Args:
        theta: Parameters of the warp, (N, k, 2, 3).

    Returns:
        Mean distance over the four corners, (N, k); 0 for the identity.
    """
    corners = torch.tensor([[-1, 1, -1, 1], [-1, -1, 1, 1], [1, 1, 1, 1]], device=theta.device)
    moved = theta - identity_theta(theta.size(0), theta.size(1), like=theta)
    # normalised coordinates run over 2 from side to side
    with torch.autocast(theta.device.type, enabled=False):  # which would round the product
        return (moved @ corners.to(theta.dtype)).norm(dim=2).mean(dim=2) / 2


def orient(maps: Tensor, orientation: Tensor) -> Tensor:
    """Exchange the axes of maps, then flip them, as each sample's orientation states.

    Args:
        maps: Square maps, (N, ..., s, s).
        orientation: Orientation of each sample, bool (N, 3): whether the axes are exchanged,
            whether left and right are flipped, and whether top and bottom are.

    Returns:
        Oriented maps, (N, ..., s, s).
    """
    exchanged, horizontal, vertical = _like(orientation, maps)
    maps = torch.where(exchanged, maps.transpose(-1, -2), maps)
    maps = torch.where(horizontal, maps.flip(-1), maps)
    return torch.where(vertical, maps.flip(-2), maps)


def orient_back(maps: Tensor, orientation: Tensor) -> Tensor:
    """Undo :func:`orient`."""
    exchanged, horizontal, vertical = _like(orientation, maps)
    maps = torch.where(vertical, maps.flip(-2), maps)
    maps = torch.where(horizontal, maps.flip(-1), maps)
    return torch.where(exchanged, maps.transpose(-1, -2), maps)


def orient_theta_back(theta: Tensor, orientation: Tensor) -> Tensor:
    """Return the warp of the original images that equals a warp of the oriented ones.

    Args:
        theta: Parameters (N, k, 2, 3), as of :func:`torch.nn.functional.affine_grid`.
        orientation: Orientation of each sample, as of :func:`orient`.

    Returns:
        Parameters theta', (N, k, 2, 3), with
        ``warp(x, theta') == orient_back(warp(orient(x), theta))``.
    """
    # an oriented map at p shows the map at R p, where R flips and then exchanges the axes: this is
    # R A R^T and R t without products of matrices, which autocast would round
    signs = 1 - 2 * orientation[:, 1:].to(theta.dtype)
    columns = torch.cat([signs, torch.ones_like(signs[:, :1])], dim=1)
    flipped = theta * signs[:, None, :, None] * columns[:, None, None, :]
    # a list as an index would make the host wait for a GPU
    exchanged = torch.cat([flipped[..., :2].flip(2, 3), flipped[..., 2:].flip(2)], dim=3)
    return torch.where(orientation[:, 0, None, None, None], exchanged, flipped)


def _like(orientation: Tensor, maps: Tensor) -> tuple[Tensor, ...]:
    shape = (len(orientation), *[1] * (maps.dim() - 1))
    return tuple(column.view(shape) for column in orientation.unbind(1))
