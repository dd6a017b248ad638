"""Saliency that is refined by colour, as augments use it."""

import pytest
import torch

from mmtmix.functional import colour_evidence, min_max, resize_map, spread_by_colour
from mmtmix.models import ObjectPaste, build_saliency
from mmtmix.models.saliency import NoiseSaliency, OtherImages, RefinedSaliency, SaliencySource

pytestmark = pytest.mark.host


class Coarse(SaliencySource):
    """Maps of 4x3 cells that depend on the images."""

    def __call__(self, batch_inputs, batch_scores):
        return resize_map(batch_inputs.abs().mean(dim=1, keepdim=True), (4, 3))


def test_maps_are_those_of_the_functions(make_batch):
    images, scores = make_batch(5, (3, 12, 10))
    settings = dict(bandwidth=0.5, evidence_rounds=2, spread_rounds=3, dilations=(1, 2))
    maps = RefinedSaliency(Coarse(), **settings)(images, scores)
    coarse = min_max(resize_map(Coarse()(images, scores), (12, 10)))
    evidence = colour_evidence(images, coarse, 0.5, 2)
    assert torch.equal(maps, spread_by_colour(images, evidence, 3, (1, 2)))
    alone = RefinedSaliency(Coarse(), evidence_rounds=0, spread_rounds=0)(images, scores)
    assert torch.equal(alone, coarse)


def test_refined_saliency_needs_what_its_source_needs():
    inner = OtherImages('TrueMasks')
    source = RefinedSaliency(inner)
    assert source.needs_batch and not source.needs_network and not source.adds_loss
    assert [type(part).__name__ for part in source.parts] == [
        'RefinedSaliency',
        'OtherImages',
        'TrueMasks',
    ]
    assert source.title == 'True mask of another image, refined'
    network = RefinedSaliency(dict(type='InputGradient', clean_lam=1.0))
    assert network.adds_loss and network.needs_network and network.needs_batch


def test_noise_inside_comes_from_the_generator_of_the_mix(make_batch):
    images, scores = make_batch(4)
    source = RefinedSaliency(NoiseSaliency())
    before = torch.get_rng_state()
    first, second = (
        source.drawing_from(torch.Generator().manual_seed(5))(images, scores) for _ in range(2)
    )
    assert torch.equal(first, second) and torch.equal(torch.get_rng_state(), before)
    assert source.source is not source.drawing_from(torch.Generator()).source


def test_an_augment_takes_it_by_config(make_batch):
    augment = ObjectPaste(saliency=dict(type='RefinedSaliency', source=Coarse()))
    mixed, targets, details = augment(*make_batch(6, (3, 16, 16)), return_details=True)
    assert details['saliency'].shape == (6, 2, 1, 16, 16)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(6))


def test_it_refuses_what_is_no_source():
    with pytest.raises(TypeError, match='saliency must be a name'):
        build_saliency(dict(type='RefinedSaliency', source=3))
