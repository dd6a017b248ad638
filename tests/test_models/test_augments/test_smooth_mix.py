"""SmoothMix: its spots."""

import pytest
import torch

from mmtmix.models import SmoothMix
from mmtmix.models.augments import smooth_mix

pytestmark = pytest.mark.host


@pytest.mark.parametrize('shape', [(3, 16, 16), (1, 12, 20)])
def test_the_partner_shines_through_a_gaussian_spot(make_batch, monkeypatch, shape):
    seen = []
    spots = smooth_mix.gaussian_spots
    monkeypatch.setattr(
        smooth_mix, 'gaussian_spots', lambda *args: seen.append(args) or spots(*args)
    )
    inputs, scores = make_batch(6, shape)
    torch.manual_seed(0)
    mixed, targets, details = SmoothMix()(inputs, scores, return_details=True)
    centre, sigma, height, width = seen[0]
    assert (height, width) == shape[1:]
    for n in range(6):
        row = torch.arange(height)[:, None] + 0.5 - centre[n, 0, 0] * height
        column = torch.arange(width) + 0.5 - centre[n, 0, 1] * width
        distance = (row / height) ** 2 + (column / width) ** 2
        spot = torch.exp(-distance / (2 * sigma[n, 0] ** 2))
        partner = int(details['index'][n, 1])
        expected = (1 - spot) * inputs[n] + spot * inputs[partner]
        torch.testing.assert_close(mixed[n], expected, atol=1e-5, rtol=1e-5)
        lam = 1 - spot.mean()
        torch.testing.assert_close(targets[n], lam * scores[n] + (1 - lam) * scores[partner])


def test_sigma_and_centre_are_uniform(make_batch, monkeypatch):
    seen = []
    spots = smooth_mix.gaussian_spots
    monkeypatch.setattr(
        smooth_mix, 'gaussian_spots', lambda *args: seen.append(args) or spots(*args)
    )
    inputs, scores = make_batch(8, (1, 4, 4))
    torch.manual_seed(0)
    SmoothMix()(inputs.repeat(100, 1, 1, 1), scores.repeat(100, 1))
    centre, sigma, *_ = seen[0]
    thirds = torch.tensor([0.0, 0.5, 1.0])
    for values, low, high in ((sigma, 0.25, 0.5), (centre[..., 0], 0, 1), (centre[..., 1], 0, 1)):
        expected = low + (high - low) * thirds
        found = torch.quantile(values, thirds)
        torch.testing.assert_close(found, expected, atol=0.1 * (high - low), rtol=0)


@pytest.mark.parametrize('sigma', [(0.0, 0.5), (0.5, 0.2), (0.1,), (float('nan'), 1.0)])
def test_a_bad_range_is_refused(sigma):
    with pytest.raises(ValueError, match='sigma must be 2 finite numbers > 0, in rising order'):
        SmoothMix(sigma=sigma)
