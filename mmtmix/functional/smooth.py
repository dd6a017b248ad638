"""Smooth maps: Gaussian smoothing and spots, and low-frequency noise."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from mmtmix.checks import check_flag, check_integer, check_number


def gaussian_kernel(sigma: float, legacy: bool = False) -> Tensor:
    """Return a one-dimensional Gaussian that sums to 1.

    Args:
        sigma: Standard deviation in pixels of the map, > 0.
        legacy: Whether to return the kernel of SuperMix's public code: int(5 sigma) taps of
            standard deviation int(5 sigma) / 5. With an even number of taps
            :func:`gaussian_smooth` shifts maps by half a pixel towards the first row and column.
            By default the number is odd and nothing shifts.

    Returns:
        The taps, float32.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``sigma`` is not positive.
    """
    check_number('sigma', sigma, above=0, cure='it is in pixels of the mask')
    check_flag('legacy', legacy)
    taps = max(int(5 * sigma), 1) if legacy else 2 * int(2.5 * sigma) + 1
    if legacy:
        sigma = taps / 5
    position = torch.arange(taps, dtype=torch.float32) - (taps - 1) / 2
    kernel = torch.exp(-(position**2) / (2 * sigma**2))
    return kernel / kernel.sum()


def gaussian_smooth(maps: Tensor, kernel: Tensor) -> Tensor:
    """Smooth maps by a separable kernel, with zeros outside.

    An even number of taps has no middle. As in SuperMix's public code the longer half of the
    padding then comes last: 10 taps are padded by (4, 5), and a spot at (8, 8) moves to
    (7.5, 7.5).

    Args:
        maps: Maps of any size, (N, k, h, w).
        kernel: Taps of :func:`gaussian_kernel`, on the maps' device.

    Returns:
        Smoothed maps, (N, k, h, w).
    """
    before, after = (len(kernel) - 1) // 2, len(kernel) // 2
    kernel = kernel.to(maps.dtype)
    flat = maps.flatten(0, 1).unsqueeze(1)
    flat = F.conv2d(F.pad(flat, (before, after, 0, 0)), kernel.view(1, 1, 1, -1))
    flat = F.conv2d(F.pad(flat, (0, 0, before, after)), kernel.view(1, 1, -1, 1))
    return flat.view_as(maps)


def gaussian_spots(
    centre: Tensor, sigma: Tensor, height: int, width: int
) -> tuple[Tensor, Tensor]:
    """Return spots of height 1 that fall off as a Gaussian in the picture's aspect ratio.

    A spot is the product of its rows and its columns:

    ``exp(-((row - c_row) / (sigma H))^2 / 2 - ((column - c_column) / (sigma W))^2 / 2)``

    Args:
        centre: Row and column of the spots as a share of the picture's height and width, 0 to 1
            from border to border, (..., 2).
        sigma: Standard deviation as a share of the picture's height and width, > 0, (...).
        height: Height H of the picture in pixels.
        width: Width W of the picture in pixels.

    Returns:
        Rows (..., H, 1) and columns (..., 1, W), in [0, 1], in the dtype of ``centre``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If an argument is out of its range.
    """
    check_integer('height', height, 1)
    check_integer('width', width, 1)
    rows = (torch.arange(height, device=centre.device) + 0.5) / height - centre[..., :1]
    columns = (torch.arange(width, device=centre.device) + 0.5) / width - centre[..., 1:]
    rows, columns = (torch.exp(-(x / sigma[..., None]).square() / 2) for x in (rows, columns))
    return rows[..., None], columns[..., None, :]


def low_frequency_noise(
    num_samples: int,
    height: int,
    width: int,
    decay_power: float = 3.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return noise whose amplitudes fall off as ``1 / frequency ** decay_power`` (FMix).

    Real and imaginary part of each frequency are drawn from N(0, 1). Frequencies below that of
    one wave along the longer side count as that one.

    Args:
        num_samples: Number of samples N, >= 1.
        height: Height H in pixels, >= 1.
        width: Width W in pixels, >= 1.
        decay_power: Power of the frequency, >= 0; the larger, the smoother.
        generator: Source of randomness; its device is where the noise is made.

    Returns:
        Noise of any scale, float32 (N, H, W).

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``decay_power`` is negative.
    """
    for name, value in dict(num_samples=num_samples, height=height, width=width).items():
        check_integer(name, value, 1)
    check_number('decay_power', decay_power, 0, cure='FMix uses 3')
    device = generator.device if generator is not None else None
    amplitude = _amplitude(
        height, width, decay_power, torch.device(device or torch.get_default_device())
    )
    parts = torch.randn(num_samples, *amplitude.shape, generator=generator, device=device)
    spectrum = torch.view_as_complex(parts.mul_(amplitude))
    return torch.fft.irfft2(spectrum, s=(height, width))


@lru_cache(maxsize=8)
def _amplitude(height: int, width: int, decay_power: float, device: torch.device) -> Tensor:
    """Return the amplitude of real and imaginary part of each frequency, (H, W // 2 + 1, 2)."""
    rows = torch.fft.fftfreq(height, device=device)[:, None]
    columns = torch.fft.rfftfreq(width, device=device)
    lowest = 1 / max(height, width)
    frequency = (rows.square() + columns.square()).sqrt().clamp_min(lowest)
    # relative to the lowest, lest a large power overflows
    amplitude = (frequency / lowest) ** -decay_power
    # both parts in memory, since multiplying by an expanded last axis is slow
    return amplitude[..., None].expand(-1, -1, 2).contiguous()
