"""Low-frequency noise against its spectrum."""

import numpy as np
import pytest
import torch

from mmtmix.functional import low_frequency_noise


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
