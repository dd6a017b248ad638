"""Weights, partners, blends and targets, which all augments share."""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_integer, check_number


def draw_weights(
    num_samples: int,
    num_mix: int,
    alpha: float,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw the shares of the images of every mix from Dir(alpha).

    For ``num_mix=2`` the first column is the usual ``lam ~ Beta(alpha, alpha)``, the share of
    the sample's own image.

    Args:
        num_samples: Number of mixes N, >= 0.
        num_mix: Number of images per mix, k >= 2.
        alpha: Parameter of the symmetric Dirichlet distribution, > 0.
        generator: Source of randomness; its device is where the weights are made.

    Returns:
        Weights, float32 (N, k), rows on the simplex.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``alpha`` is not positive or ``num_mix`` is below 2.
    """
    check_integer('num_samples', num_samples, 0)
    check_integer('num_mix', num_mix, 2)
    check_number('alpha', alpha, above=0)
    device = generator.device if generator is not None else None
    shape = (num_samples, num_mix)
    # A Dirichlet row is normalised gamma draws. A gamma draw at a small alpha underflows, its
    # logarithm doesn't: Gamma(alpha) has the law of Gamma(alpha + 1) * U^(1 / alpha).
    larger = torch.full(shape, alpha + 1.0, dtype=torch.float64, device=device)
    gamma = torch._standard_gamma(larger, generator=generator)
    uniform = torch.rand(shape, dtype=torch.float64, device=device, generator=generator)
    return torch.softmax(gamma.log() + uniform.log() / alpha, dim=1).float()


def draw_index(num_samples: int, num_mix: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw the partners of every sample: cyclic shifts of a shuffled batch.

    A row never names an image twice, so no image meets itself, and every image is used exactly
    ``num_mix`` times in the batch.

    Args:
        num_samples: Batch size N >= k.
        num_mix: Number of images per mix, k >= 1.
        generator: Source of randomness; its device is where the index is made.

    Returns:
        Index, int64 (N, k): the sample itself in column 0, its partners in the others.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the batch is smaller than ``num_mix``.
    """
    check_integer('num_samples', num_samples, 0)
    check_integer('num_mix', num_mix, 1)
    if num_samples < num_mix:
        raise ValueError(
            f'a batch of {num_samples} has no {num_mix} different images to mix '
            f'(num_mix={num_mix}); use a larger batch or a smaller num_mix'
        )
    device = generator.device if generator is not None else None
    order = torch.randperm(num_samples, generator=generator, device=device)
    # each image is followed by the next ones in the shuffled order
    following = torch.cat([order, order[: num_mix - 1]]).unfold(0, num_mix, 1)
    index = torch.empty_like(following, memory_format=torch.contiguous_format)
    index[order] = following
    return index


def draw_distinct_index(
    classes: Tensor, num_mix: int, generator: torch.Generator | None = None, tries: int = 16
) -> Tensor:
    """Draw partners of other classes: each sample takes the first of several draws with such.

    Args:
        classes: Class of each sample, int64 (N,).
        num_mix: Number of images per mix, k >= 1.
        generator: Source of randomness; its device is where the draws are made.
        tries: Number of draws of :func:`draw_index`, >= 1. A sample that finds k different classes
            in none of them keeps the first.

    Returns:
        Index as of :func:`draw_index`, int64 (N, k), on the device of ``classes``. An image may be
        used more or less than ``num_mix`` times.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If the batch is smaller than ``num_mix``.
    """
    check_integer('tries', tries, 1)
    draws = torch.stack([draw_index(len(classes), num_mix, generator) for _ in range(tries)])
    draws = draws.to(classes.device, non_blocking=True)
    ordered = classes[draws].sort(dim=2).values
    is_distinct = (ordered[..., 1:] != ordered[..., :-1]).all(dim=2)
    first = is_distinct.int().argmax(dim=0)
    return draws[first, torch.arange(len(classes), device=classes.device)]


def blend(images: Tensor, masks: Tensor) -> Tensor:
    """Blend k images by masks: ``sum_i masks_i * images_i`` (TransformMix, Eq. 1).

    Args:
        images: Images of each mix, (N, k, C, H, W).
        masks: Mask of each image, (N, k, 1, H, W), or (N, k, 1, 1, 1) for Mixup.

    Returns:
        Mixes, (N, C, H, W), in the wider dtype of the two.

    Raises:
        ValueError: If there is another number of masks than of images.
    """
    if images.size(1) != masks.size(1):
        raise ValueError(
            f'images and masks must be (N, k, ...) of the same k, got {tuple(images.shape)} and '
            f'{tuple(masks.shape)}'
        )
    return sum_of_products(images.unbind(1), masks.unbind(1))


def blend_batch(images: Tensor, index: Tensor, masks: Tensor) -> Tensor:
    """Blend images of a batch by masks, without holding those of all mixes at once.

    Args:
        images: Images of the batch, (N, C, H, W).
        index: Positions of the images of each mix, int64 (M, k).
        masks: Mask of each image, (M, k, 1, H, W) or (M, k, 1, 1, 1).

    Returns:
        Mixes, (M, C, H, W), in the dtype of the images.
    """
    # index_select copies whole images, several times faster than images[index] does
    chosen = (images.index_select(0, column) for column in index.unbind(1))
    return sum_of_products(chosen, masks.to(images.dtype).unbind(1))


def sum_of_products(images: Iterable[Tensor], masks: Iterable[Tensor]) -> Tensor:
    """Sum image by image: all products at once would take k times the memory and the time."""
    pairs = zip(images, masks, strict=True)
    image, mask = next(pairs)
    mixed = image * mask
    for image, mask in pairs:
        mixed.addcmul_(image, mask)
    return mixed


def mix_targets(scores: Tensor, weights: Tensor, index: Tensor) -> Tensor:
    """Mix soft labels by weights: ``y' = sum_i weight_i * y_i`` (TransformMix, Eq. 4).

    Args:
        scores: Soft labels of the batch, (N, num_classes).
        weights: Shares of the images of each mix, (M, k), rows on the simplex.
        index: Positions of the images of each mix, int64 (M, k).

    Returns:
        Targets of the mixes, (M, num_classes), in the dtype of ``scores``.
    """
    # no matrix product, which autocast would round to bfloat16
    chosen = scores.index_select(0, index.flatten()).view(*index.shape, -1)
    return (chosen * weights.to(scores.dtype)[..., None]).sum(dim=1)


def similar_shares(
    mixed: Tensor, features: Tensor, weights: Tensor, index: Tensor, temperature: float
) -> Tensor:
    """Correct the weights of mixes by how similar each mix is to its images.

    The share of image i is proportional to ``weight_i * exp(s_i / temperature)``, with the cosine
    ``s_i`` of the features of the mix and of the image.

    Args:
        mixed: Features of the mixes, (M, D).
        features: Features of the images of the batch, (N, D).
        weights: Weights of the images of each mix, (M, k), rows on the simplex.
        index: Positions of the images of each mix, int64 (M, k).
        temperature: Divisor of the similarities, > 0, and not so small that 1 / it overflows.

    Returns:
        Shares, float32 (M, k), rows on the simplex; an image of weight 0 has share 0.

    Raises:
        TypeError: If ``temperature`` is no number.
        ValueError: If it is not positive.
    """
    check_number('temperature', temperature, above=0)
    units = F.normalize(features.float(), dim=1)
    chosen = units.index_select(0, index.flatten()).view(*index.shape, -1)
    # no matrix product, which autocast would round to bfloat16
    cosines = (chosen * F.normalize(mixed.float(), dim=1)[:, None]).sum(dim=2)
    return torch.softmax(weights.float().log() + cosines / temperature, dim=1)
