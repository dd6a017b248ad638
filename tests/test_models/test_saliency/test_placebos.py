"""Placebos: maps that depend on nothing in the image that gets them."""

import pytest
import torch
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.models import NoiseSaliency, OtherImages, SaliencySource

pytestmark = pytest.mark.host


class Own(SaliencySource):
    """Returns a map with the image's first value everywhere."""

    def __call__(self, batch_inputs, batch_scores):
        return batch_inputs[:, :1, :2, :2] + batch_scores[:, :1, None, None]


class Losing(Own):
    adds_loss = True


class Live(Own):
    needs_network = True


@pytest.mark.parametrize('count', [2, 3, 7])
def test_no_image_gets_its_own_map_and_each_map_is_used_once(count):
    images = torch.arange(count).float()[:, None, None, None].expand(-1, 3, 4, 5)
    found = OtherImages(Own())(images, torch.zeros(count, 2))[:, 0, 0, 0]
    assert (found != torch.arange(count)).all()
    assert sorted(found.tolist()) == list(range(count))


def test_a_single_image_has_no_other():
    with pytest.raises(ValueError, match='needs another image.*got a batch of 1'):
        OtherImages(Own())(torch.rand(1, 3, 4, 4), torch.eye(1))


def test_a_placebo_s_augment_draws_as_that_of_its_source(make_batch):
    images, scores = make_batch(8)
    details = []
    for source in (Own(), OtherImages(Own())):
        augment = BATCH_AUGMENTS.build(dict(type='SaliencyMix', saliency=source))
        torch.manual_seed(0)
        details.append(augment(images, scores, return_details=True)[2])
    for name in ('drawn_weights', 'index', 'generator_state'):
        assert torch.equal(details[0][name], details[1][name])
    assert not torch.equal(details[0]['saliency'], details[1]['saliency'])


def test_a_choice_gives_it_the_whole_batch(make_batch):
    """Some images of a batch may hold one twice, which would get its own map."""
    images, scores = make_batch(8)
    augment = BATCH_AUGMENTS.build(
        dict(type='AttentiveMix', saliency=OtherImages(Own()), grid_size=2, num_cells=1)
    )
    choice = BATCH_AUGMENTS.build(
        dict(type='ChooseAugment', augments=[augment, dict(type='FMix')], probs=[0.3, 0.3])
    )
    seen = []
    augment.saliency.source.__class__ = type(
        'Seen', (Own,), dict(__call__=lambda self, x, y: seen.append(len(x)) or Own()(x, y))
    )
    for seed in range(4):
        torch.manual_seed(seed)
        choice(images, scores)
    assert set(seen) == {8}


def test_it_passes_on_what_its_source_needs():
    assert OtherImages(Losing()).adds_loss and OtherImages(Live()).needs_network
    assert not OtherImages(Own()).adds_loss and not OtherImages(Own()).needs_network
    inner = OtherImages(dict(type='NoiseSaliency', decay_power=1.0))
    assert isinstance(inner.source, NoiseSaliency) and inner.source.decay_power == 1.0
    assert 'of another image' in inner.title


def test_noise_depends_on_the_seed_alone():
    images = torch.rand(5, 3, 12, 20)
    maps = []
    for batch in (images, images * 2, images):
        torch.manual_seed(len(maps) // 2)
        maps.append(NoiseSaliency()(batch, torch.eye(5)))
    assert maps[0].shape == (5, 1, 12, 20)
    assert torch.equal(maps[0], maps[1]) and not torch.equal(maps[0], maps[2])
    assert torch.equal(maps[0].amin((1, 2, 3)), torch.zeros(5))
    torch.testing.assert_close(maps[0].amax((1, 2, 3)), torch.ones(5))


def test_noise_of_an_augment_comes_from_its_mix_and_leaves_torch_alone(make_batch):
    images, scores = make_batch(8)
    maps, states = [], []
    for source in ('NoiseSaliency', OtherImages('NoiseSaliency'), 'FineGrainedSaliency'):
        augment = BATCH_AUGMENTS.build(dict(type='SaliencyMix', saliency=source))
        torch.manual_seed(0)
        maps.append(augment(images, scores, return_details=True)[2])
        states.append(torch.get_rng_state())
    assert torch.equal(states[0], states[2]) and torch.equal(states[1], states[2])
    assert torch.equal(maps[0]['drawn_weights'], maps[2]['drawn_weights'])
    # the placebo of a placebo: the same maps, for other images
    assert torch.equal(maps[0]['saliency'][:, 0].roll(1, 0)[:, 0], maps[1]['saliency'][:, 0][:, 0])


@pytest.mark.parametrize('decay', [0.0, 6.0])
def test_a_larger_decay_is_smoother(decay):
    torch.manual_seed(0)
    maps = NoiseSaliency(decay)(torch.rand(16, 1, 32, 32), torch.eye(16))
    step = (maps[..., 1:] - maps[..., :-1]).abs().mean()
    assert (step < 0.1) == (decay == 6.0)
