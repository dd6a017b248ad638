"""FMix: the masks of its noise."""

import pytest
import torch

from mmtmix.models import FMix
from mmtmix.models.augments import batch_augment, f_mix

pytestmark = pytest.mark.host


@pytest.fixture
def seen(monkeypatch):
    """What is drawn: the weights, and the noise with its power."""
    drawn = {}

    def spy(module, name):
        function = getattr(module, name)

        def call(*args):
            drawn[name] = function(*args)
            drawn[f'{name} arguments'] = args
            return drawn[name]

        monkeypatch.setattr(module, name, call)

    spy(batch_augment, 'draw_weights')
    spy(f_mix, 'low_frequency_noise')
    return drawn


def mix(batch, **settings):
    torch.manual_seed(0)
    return FMix(**settings)(*batch, return_details=True)


def test_the_own_image_shows_where_the_noise_is_highest(make_batch, seen):
    _, _, details = mix(make_batch(6, (3, 18, 24)))
    assert seen['low_frequency_noise arguments'][:4] == (6, 18, 24, 3.0)
    for n in range(6):
        count = round(seen['draw_weights'][n, 0].item() * 18 * 24)
        noise = seen['low_frequency_noise'][n].flatten()
        own = torch.zeros(18 * 24)
        own[noise.argsort(descending=True)[:count]] = 1
        assert torch.equal(details['masks'][n, 0].flatten(), own)
        assert details['weights'][n, 0].item() == pytest.approx(count / (18 * 24))


@pytest.mark.parametrize('num_mix', [2, 3])
def test_shares_are_the_drawn_ones_but_for_a_pixel(make_batch, seen, num_mix):
    _, _, details = mix(make_batch(6, (1, 32, 32)), num_mix=num_mix)
    difference = (details['weights'] - seen['draw_weights']).abs().max()
    assert 0 < difference <= 1 / 1024 + 1e-6


def test_soft_edges_keep_the_shares(make_batch, seen):
    _, _, details = mix(make_batch(6, (1, 32, 32)), max_soft=0.3)
    assert len(details['masks'].unique()) > 100
    difference = (details['weights'] - seen['draw_weights']).abs().max()
    assert difference <= 1 / 1024 + 1e-6


def test_the_decay_power_is_passed_on(make_batch, seen):
    mix(make_batch(), decay_power=1.5)
    assert seen['low_frequency_noise arguments'][3] == 1.5


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(decay_power=-1), 'decay_power must be a finite number >= 0, got -1'),
        (dict(max_soft=0.6), 'max_soft must be a finite number >= 0 and <= 0.5, got 0.6'),
        (dict(max_soft=0.1, num_mix=3), 'num_mix must be 2 with soft edges'),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        FMix(**settings)
