"""Low-frequency noise."""

from __future__ import annotations

import torch
from torch import Tensor

from mmtmix.checks import check_integer, check_number


def low_frequency_noise(
    num_samples: int,
    height: int,
    width: int,
    decay_power: float = 3.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Noise whose amplitudes fall off as ``1 / frequency ** decay_power`` (FMix).

    Real and imaginary part of each frequency are drawn from N(0, 1). Frequencies below that of
    one wave along the longer side count as that one.

    Args:
        num_samples: N.
        height: Height H in pixels.
        width: Width W in pixels.
        decay_power: The power, >= 0; the larger, the smoother.
        generator: Source of randomness; its device is where the noise is made.

    Returns:
        float32 noise of shape (N, H, W), of any scale.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If ``decay_power`` is negative.
    """
    for name, value in dict(num_samples=num_samples, height=height, width=width).items():
        check_integer(name, value, 1)
    check_number('decay_power', decay_power, 0, cure='FMix uses 3')
    device = generator.device if generator is not None else None
    rows = torch.fft.fftfreq(height, device=device)[:, None]
    columns = torch.fft.rfftfreq(width, device=device)
    lowest = 1 / max(height, width)
    frequency = (rows.square() + columns.square()).sqrt().clamp_min(lowest)
    # relative to the lowest, lest a large power overflows
    amplitude = (frequency / lowest) ** -decay_power
    parts = torch.randn(num_samples, *frequency.shape, 2, generator=generator, device=device)
    spectrum = torch.view_as_complex(parts.mul_(amplitude[..., None]))
    return torch.fft.irfft2(spectrum, s=(height, width))
