"""Saliency, logits and transformations that are not finite end a mix, and name where from."""

import math

import pytest
import torch

from mmtmix.models import (
    AttentiveMix,
    CAMMix,
    CoMixup,
    PuzzleMix,
    SaliencyMix,
    SuperMix,
    TransformMix,
)
from mmtmix.models.saliency import SaliencySource

pytestmark = pytest.mark.host

VALUES = [math.nan, math.inf]


class Spoilt(SaliencySource):
    """Saliency of which one pixel of one image is not finite."""

    def __init__(self, value):
        self.value = value

    def __call__(self, batch_inputs, batch_scores):
        saliency = batch_inputs[:, :1].abs()
        saliency[1, 0, 2, 3] = self.value
        return saliency


@pytest.mark.parametrize('value', VALUES)
@pytest.mark.parametrize('kind', [AttentiveMix, CAMMix, CoMixup, PuzzleMix, SaliencyMix])
def test_saliency_that_is_not_finite_ends_the_mix(kind, value, make_batch):
    if kind in (CoMixup, PuzzleMix):
        pytest.importorskip('maxflow')
    said = rf'the saliency for {kind.__name__} of shape \(6, 1, 16, 16\) holds NaN or infinity; '
    with pytest.raises(ValueError, match=said):
        kind(saliency=Spoilt(value))(*make_batch())


@pytest.mark.parametrize('part', ['stn.fc.bias', 'mask_network.layers.0.bias'])
def test_a_module_that_predicts_what_is_not_finite_ends_the_mix(part, make_augment, make_batch):
    augment, batch = make_augment(), make_batch()
    assert augment(*batch)[0].isfinite().all()
    augment.mixer.get_parameter(part).fill_(math.nan)
    with pytest.raises(ValueError, match='theta and masks of the mixer of the config .*diverge'):
        augment(*batch)


def test_the_file_of_such_a_module_is_named(make_augment):
    augment = TransformMix(make_augment().teacher, 'there/mixer.pth')
    with pytest.raises(ValueError, match=r'of the mixer there/mixer\.pth of shape \(2,\) holds'):
        augment._check_module(torch.tensor([1.0, math.inf]))


@pytest.mark.parametrize('value', VALUES)
def test_logits_that_become_infinite_after_the_first_batch_end_the_mix(
    value, make_teacher, make_mixer, make_batch
):
    batch = make_batch()
    teacher = make_teacher()
    mixers = [
        TransformMix(teacher, make_mixer(), cam_class='predicted'),
        SuperMix(teacher, max_iters=1),
        SaliencyMix(dict(type='TeacherCAM', teacher=teacher)),
    ]
    for mixer in mixers:
        mixer(*batch)
    weight = teacher.model.head.fc.weight
    before = weight.clone()
    weight[3] = value
    name = teacher.checkpoint_name
    for mixer in mixers:
        with pytest.raises(ValueError, match=f'the logits of the teacher {name} of shape .*hold'):
            mixer(*batch)
    weight.copy_(before)
    mixers[0](*batch)  # a good batch is mixed again


def test_maps_that_become_infinite_after_the_first_batch_end_the_mix(make_augment, make_batch):
    augment, batch = make_augment(), make_batch()
    augment(*batch)
    cam, maps = augment.teacher._cam, augment.teacher._cam.maps
    cam.maps = lambda *args: maps(*args) / torch.tensor([1.0] * 5 + [0.0]).view(6, 1, 1, 1)
    said = f'the saliency of the teacher {augment.teacher.checkpoint_name} of shape .* holds NaN'
    with pytest.raises(ValueError, match=said):
        augment(*batch)


def test_the_last_logits_of_the_solver_are_looked_at_whoever_gives_them(make_teacher, make_batch):
    augment = SuperMix(make_teacher(), max_iters=2, min_iters=2)
    inputs, scores = make_batch()
    calls, forward = [], augment.teacher._forward

    def spoilt(images):
        calls.append(len(images))
        logits = forward(images)
        return logits / 0 if len(calls) > 2 else logits

    augment.teacher._forward = spoilt
    with pytest.raises(ValueError, match='the logits of the teacher .* NaN or infinity'):
        augment(inputs, scores)
