"""Measures of a mixing module against a computation of one mix at a time."""

import pytest
import torch
from torch import nn

from mmtmix.apps.weights.measure import batches_of, measure_module
from mmtmix.models import FrozenTeacher
from mmtmix.models.draw import draw_mixes
from mmtmix.models.mixers import TransformMixer
from mmtmix.utils import load_config


@pytest.fixture(scope='module')
def teacher():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    )
    return FrozenTeacher(model=network, mean=0.0, std=1.0, channel_order='rgb')


def test_mixups_measures_are_those_of_a_loop(teacher):
    torch.manual_seed(1)
    images, classes = torch.rand(6, 3, 16, 16), torch.tensor([0, 1, 2, 3, 0, 1])
    mixer = TransformMixer(num_mix=3, cam_size=18).eval()
    found = measure_module(teacher, mixer, [(images, classes)], seed=5)
    draw = draw_mixes(6, 3, 1.0, torch.Generator().manual_seed(5), torch.device('cpu'))
    losses, hits = [], []
    for weights, index in zip(draw.weights, draw.index, strict=True):
        mix = sum(w * images[i] for w, i in zip(weights, index, strict=True))
        logits = teacher.model(mix[None])[0]
        chances = logits.log_softmax(0)
        losses.append(-sum(w * chances[classes[i]] for w, i in zip(weights, index, strict=True)))
        own = {int(classes[i]) for i in index}
        hits.append(own == set(logits.topk(len(own)).indices.tolist()))
    assert found['images'] == 6
    assert found['mixup']['ce'] == pytest.approx(float(torch.stack(losses).mean()), abs=1e-4)
    assert found['mixup']['top_k'] == pytest.approx(100 * sum(hits) / 6, abs=1e-3)
    assert found['mixup']['kept_saliency'] == pytest.approx(100 / 3, abs=1e-2)
    difference = found['transformmix']['ce'] - found['cutmix']['ce']
    assert found['ce_minus_cutmix'][0] == pytest.approx(difference, abs=2e-4)
    again = measure_module(teacher, mixer, [(images, classes)], seed=5)
    assert again == found


def test_batches_are_a_configs_images_in_another_order():
    cfg = load_config('configs/simple/wrn10_fashionmnist_demo.py')
    (images, classes), *others = batches_of(cfg, 300)
    assert (images.shape, len(classes)) == ((250, 1, 28, 28), 250)
    assert len(others) == 1
    assert len(others[0][1]) == 50
    assert classes.unique().numel() == 10
    assert abs(float(images.mean())) < 0.2  # normalised
