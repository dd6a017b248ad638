"""What a search logs about its warps and masks."""

import json
import math

import pytest
import torch

from mmtmix.functional import warp
from mmtmix.models import measures
from mmtmix.models.search import mixer_search

pytestmark = pytest.mark.host

NAMES = {
    *(
        f'theta_{name}{part}'
        for name in ('scale', 'shift', 'rotation')
        for part in ('', '_spread')
    ),
    *(
        'theta_image_share',
        'temperature',
        'mask_entropy',
        'kept_saliency',
        'teacher_clean_acc',
        'teacher_mixed_acc',
    ),
}


def test_a_search_logs_its_warps_masks_and_teacher(search_runner, tmp_path, monkeypatch):
    made = []
    mix = mixer_search.mix_with_teacher

    def watched(*args, **options):
        mixed, details = mix(*args, **options)
        if details['theta'].requires_grad:  # a step of training
            made.append((args[3], args[4], args[0](mixed), details))
        return mixed, details

    monkeypatch.setattr(mixer_search, 'mix_with_teacher', watched)
    runner = search_runner(tmp_path, epochs=1, **{'default_hooks.logger.interval': 2})
    temperatures = []
    runner.model.mixer.register_forward_hook(
        lambda module, args, output: temperatures.append(module.temperature.item())
    )
    runner.train()
    lines = (next(tmp_path.glob('*/vis_data/scalars.json'))).read_text().splitlines()
    record = json.loads(lines[0])
    assert record.keys() >= NAMES and record['step'] == 2
    assert not any('loss' in name for name in NAMES)
    _, _, _, details = made[1]  # the second step is logged
    theta, masks, saliency = (details[name].detach() for name in ('theta', 'masks', 'saliency'))
    scale = torch.linalg.det(theta[..., :2].double()).abs().sqrt()
    assert record['theta_scale'] == pytest.approx(scale.mean().item(), abs=2e-4)
    spread = math.sqrt(scale.var(dim=0, unbiased=False).mean())
    assert record['theta_scale_spread'] == pytest.approx(spread, abs=2e-4)
    assert record['temperature'] == pytest.approx(temperatures[1], abs=1e-4)
    entropy = -(masks * masks.clamp_min(1e-30).log()).sum(dim=1).mean() / math.log(2)
    assert record['mask_entropy'] == pytest.approx(entropy.item(), abs=2e-4)
    moved = warp(saliency, theta)
    shown = torch.nn.functional.interpolate(
        masks.flatten(0, 1), size=moved.shape[-2:], mode='bilinear'
    ).view_as(moved)
    # of all saliency that the image has; a pixel of the mix covers `scale` squared of it
    kept = (moved * shown).sum(dim=(2, 3, 4)) * scale**2 / saliency.sum(dim=(2, 3, 4))
    assert record['kept_saliency'] == pytest.approx(kept.mean().item(), abs=2e-4)
    assert len(made) == 2  # and accuracies are those of both steps
    clean, mixed = [], []
    for scores, draw, logits, own in made:
        labels = (draw.weights[..., None] * scores[draw.index]).sum(dim=1).argmax(dim=1)
        mixed.append(logits.argmax(dim=1) == labels)
        clean.append(own['clean_logits'].argmax(dim=1) == scores.argmax(dim=1))
    for name, hits in (('clean', clean), ('mixed', mixed)):
        expected = 100 * torch.cat(hits).float().mean().item()
        assert record[f'teacher_{name}_acc'] == pytest.approx(expected, abs=1e-3)
    assert not measures.is_measured() and not measures.is_measured_in_full()


def test_means_are_over_all_steps_since_the_last_read():
    taken = measures.Measures()
    with measures.measuring(taken, in_full=False):
        measures.count_hits('hits', torch.eye(4), torch.eye(4))
        measures.count_hits('hits', torch.eye(4)[:2], torch.eye(4)[[1, 0]])
        measures.count_hits('hits', torch.eye(4), torch.eye(5))  # of other classes
        measures.measure('size', torch.tensor(3.0))
    measures.measure('size', torch.tensor(5.0))  # nobody measures
    assert taken.read() == pytest.approx(dict(hits=100 * 4 / 6, size=3.0))
    assert taken.read() == {}
