"""Gaussian maps against the formula and a plain convolution; noise against its spectrum."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mmtmix.functional import low_frequency_noise
from mmtmix.functional.smooth import gaussian_kernel, gaussian_smooth, gaussian_spots

SIGMAS = [0.3, 1.0, 1.5, 2.0, 3.0]


def taps(sigma, number):
    """The formula, in plain Python."""
    values = [math.exp(-((i - (number - 1) / 2) ** 2) / (2 * sigma**2)) for i in range(number)]
    return torch.tensor([value / sum(values) for value in values], dtype=torch.double)


def impulse(size=21, place=10):
    maps = torch.zeros(1, 1, size, size)
    maps[0, 0, place, place] = 1
    return maps


def centre(maps):
    """Centre of mass as (row, column)."""
    share = maps[0, 0].double() / maps.sum()
    place = torch.arange(maps.size(-1), dtype=torch.double)
    return (share.sum(dim=1) @ place).item(), (share.sum(dim=0) @ place).item()


@pytest.mark.parametrize('legacy', [False, True])
@pytest.mark.parametrize('sigma', SIGMAS)
def test_a_kernel_is_a_symmetric_gaussian_that_sums_to_1(sigma, legacy):
    kernel = gaussian_kernel(sigma, legacy)
    assert kernel.dtype == torch.float32
    assert kernel.sum().item() == pytest.approx(1, abs=1e-6)
    assert torch.equal(kernel, kernel.flip(0))
    # the public code's standard deviation is a fifth of the number of its taps
    wide = len(kernel) / 5 if legacy else sigma
    torch.testing.assert_close(kernel.double(), taps(wide, len(kernel)), atol=1e-7, rtol=1e-5)


def test_a_kernel_has_an_odd_number_of_taps_and_the_legacy_one_five_sigma():
    assert [len(gaussian_kernel(sigma)) for sigma in SIGMAS] == [1, 5, 7, 11, 15]
    assert [len(gaussian_kernel(sigma, legacy=True)) for sigma in SIGMAS] == [1, 5, 7, 10, 15]
    assert len(gaussian_kernel(0.1, legacy=True)) == 1


@pytest.mark.parametrize('sigma', SIGMAS)
def test_smoothing_shifts_nothing(sigma):
    smooth = gaussian_smooth(impulse(), gaussian_kernel(sigma))
    assert centre(smooth) == pytest.approx((10, 10), abs=1e-5)
    assert torch.equal(smooth, smooth.flip(2, 3))


def test_the_legacy_kernel_of_ten_taps_shifts_to_the_publics_side():
    """SuperMix's code pads ten taps by (4, 5)."""
    smooth = gaussian_smooth(impulse(17, 8), gaussian_kernel(2.0, legacy=True))
    assert centre(smooth) == pytest.approx((7.5, 7.5), abs=1e-5)
    filled = smooth[0, 0].nonzero()
    assert (filled.amin(dim=0).tolist(), filled.amax(dim=0).tolist()) == ([3, 3], [12, 12])


@pytest.mark.parametrize(('sigma', 'legacy'), [(1.0, False), (2.0, False), (2.0, True)])
@pytest.mark.parametrize('shape', [(3, 2, 8, 8), (1, 4, 5, 9), (2, 3, 1, 3)])
def test_smoothing_is_a_convolution_with_the_outer_product(sigma, legacy, shape):
    maps = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    kernel = gaussian_kernel(sigma, legacy)
    line = taps(sigma, len(kernel))
    # as PyTorch's Conv2d pads where its kernel is odd; of ten taps (4, 5)
    before, after = {1: (0, 0), 5: (2, 2), 11: (5, 5), 10: (4, 5)}[len(line)]
    padded = F.pad(maps.double(), (before, after, before, after))
    expected = torch.zeros(shape, dtype=torch.double)
    for row, vertical in enumerate(line):
        for column, horizontal in enumerate(line):
            window = padded[..., row : row + shape[2], column : column + shape[3]]
            expected += vertical * horizontal * window
    smooth = gaussian_smooth(maps, kernel)
    assert smooth.dtype == torch.float32
    torch.testing.assert_close(smooth.double(), expected, atol=1e-6, rtol=1e-5)


def test_maps_are_smoothed_each_by_itself_and_not_written_to():
    maps = torch.zeros(2, 3, 7, 7)
    maps[1, 2, 3, 3] = 1
    before = maps.clone()
    smooth = gaussian_smooth(maps, gaussian_kernel(1.0))
    assert smooth.sum(dim=(2, 3)).gt(0).nonzero().tolist() == [[1, 2]]
    assert torch.equal(maps, before)


@pytest.mark.parametrize('legacy', [False, True])
@pytest.mark.parametrize('sigma', [0, -1.0, float('nan')])
def test_a_sigma_that_is_not_positive_is_refused(sigma, legacy):
    with pytest.raises(ValueError, match=f'sigma must be a finite number > 0, got {sigma!r}'):
        gaussian_kernel(sigma, legacy)


@pytest.mark.parametrize('size', [(8, 8), (6, 11)])
def test_spots_are_gaussians_in_the_pictures_aspect(size):
    height, width = size
    centre = torch.rand(3, 2, 2, generator=torch.Generator().manual_seed(0))
    sigma = torch.tensor([[0.25, 0.5], [0.3, 0.4], [1.0, 0.05]])
    rows, columns = gaussian_spots(centre, sigma, height, width)
    spots = rows * columns
    assert spots.shape == (3, 2, height, width)
    for n in range(3):
        for i in range(2):
            middle_row, middle_column = centre[n, i, 0] * height, centre[n, i, 1] * width
            for row in range(height):
                for column in range(width):
                    y = (row + 0.5 - middle_row) / (sigma[n, i] * height)
                    x = (column + 0.5 - middle_column) / (sigma[n, i] * width)
                    expected = torch.exp(-(y**2 + x**2) / 2)
                    torch.testing.assert_close(spots[n, i, row, column], expected)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize('size', [(8, 8), (7, 12), (12, 7), (1, 5)])
@pytest.mark.parametrize('decay_power', [0.0, 1.5, 3.0])
def test_noise_is_the_inverse_transform_of_decaying_normals(size, decay_power):
    height, width = size
    noise = low_frequency_noise(3, *size, decay_power, seeded(1))
    parts = torch.randn(3, height, width // 2 + 1, 2, generator=seeded(1)).double().numpy()
    for n in range(3):
        spectrum = np.zeros((height, width // 2 + 1), complex)
        for row in range(height):
            for column in range(width // 2 + 1):
                y = min(row, height - row) / height
                frequency = max((y**2 + (column / width) ** 2) ** 0.5, 1 / max(size))
                real, imaginary = parts[n, row, column]
                spectrum[row, column] = (real + 1j * imaginary) / frequency**decay_power
        expected = np.fft.irfft2(spectrum, s=size)
        expected /= max(size) ** decay_power  # any scale will do
        np.testing.assert_allclose(noise[n].numpy(), expected, atol=1e-5)


def test_a_larger_power_makes_smoother_noise():
    def roughness(decay_power):
        noise = low_frequency_noise(32, 32, 32, decay_power, seeded())
        return (noise.diff(dim=1).std() / noise.std()).item()

    assert roughness(0.0) > 2 * roughness(1.5) > 4 * roughness(3.0)
    assert low_frequency_noise(2, 32, 32, 200.0, seeded()).isfinite().all()


def test_a_generator_reproduces_it():
    state = torch.get_rng_state()
    first, second = (low_frequency_noise(2, 9, 9, generator=seeded(3)) for _ in range(2))
    assert torch.equal(first, second) and first.dtype == torch.float32
    assert torch.equal(torch.get_rng_state(), state)


def test_a_negative_power_is_refused():
    with pytest.raises(ValueError, match='decay_power must be a finite number >= 0, got -1'):
        low_frequency_noise(2, 8, 8, -1)
