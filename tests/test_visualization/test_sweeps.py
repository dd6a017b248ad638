"""mmtmix.visualization.sweeps."""

import copy
import math

import numpy as np
import pytest
import torch

from mmtmix.models import BatchAugment, Draw
from mmtmix.visualization import denormalize, draw_sweep, sweep_lambda, sweep_temperature


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def constant(lam, num_mix, count=5):
    rest = (1 - lam) / (num_mix - 1)
    return torch.tensor([[lam] + [rest] * (num_mix - 1)]).expand(count, -1)


@pytest.mark.parametrize('num_mix', [2, 3])
def test_lambda_sweep_mixes_as_direct_calls_do(mix, num_mix):
    mix = mix(num_mix)
    index = mix.details['index']
    sweep = sweep_lambda(mix.augment, mix.inputs, mix.scores, index, seed=3)
    assert sweep.values == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    for position, lam in enumerate(sweep.values):
        mixed, details = mix.augment.mix_with_details(
            mix.inputs, mix.scores, Draw(constant(lam, num_mix), index, generator(3))
        )
        torch.testing.assert_close(sweep.mixed[position], mixed, rtol=0, atol=0)
        torch.testing.assert_close(sweep.masks[position], details['masks'], rtol=0, atol=0)
    assert not torch.equal(sweep.mixed[0], sweep.mixed[-1])


def test_noise_is_the_seed_s(mix):
    mix = mix()
    args = (mix.augment, mix.inputs, mix.scores, mix.details['index'], [0.5, 0.5])
    sweep, other = sweep_lambda(*args, seed=1), sweep_lambda(*args, seed=2)
    assert torch.equal(sweep.mixed[0], sweep.mixed[1])
    assert not torch.equal(sweep.mixed, other.mixed)


def test_temperature_sweep_sharpens_and_leaves_the_mixer_alone(mix):
    mix = mix(temperature=0.7, anchored=False)  # else the softest masks are the weights
    weights, index = mix.details['weights'], mix.details['index']
    before = copy.deepcopy(mix.augment.mixer.state_dict())
    sweep = sweep_temperature(mix.augment, mix.inputs, mix.scores, weights, index)
    after = mix.augment.mixer.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert list(sweep.values) == sorted(sweep.values) and len(sweep.values) == 7
    assert sweep.values[sweep.learned] == pytest.approx(0.7)
    draw = Draw(weights, index, generator())
    mixed, _ = mix.augment.mix_with_details(mix.inputs, mix.scores, draw)
    assert torch.equal(sweep.mixed[sweep.learned], mixed)
    softness = (sweep.masks[:, :, 0] * sweep.masks[:, :, 1]).mean(dim=(1, 2, 3, 4))
    assert (softness.diff() > 0).all()


def test_temperature_is_that_of_the_softmax(mix):
    parts = dict(mask='softmax_cam', transform='none')
    off = dict(anchored=False, random_orientation=False, saliency_noise=0.0, mask_size=None)
    mix = mix(**parts, **off)
    weights, index = mix.details['weights'], mix.details['index']
    sweep = sweep_temperature(
        mix.augment, mix.inputs, mix.scores, weights, index, temperatures=[0.25, 4]
    )
    assert sweep.values == (0.25, 1.0, 4.0) and sweep.learned == 1
    maps = sweep.saliency[:, :, 0]
    for position, value in enumerate(sweep.values):
        masks = torch.nn.functional.interpolate(
            torch.softmax(maps / value, dim=1), size=24, mode='bilinear'
        )
        torch.testing.assert_close(sweep.masks[position, :, :, 0], masks)


def test_learned_temperature_is_not_there_twice(mix):
    mix = mix(temperature=0.3)
    learned = float(mix.augment.mixer.log_temperature.exp())
    sweep = sweep_temperature(
        mix.augment,
        mix.inputs,
        mix.scores,
        mix.details['weights'],
        mix.details['index'],
        temperatures=[learned, 1],
    )
    assert sweep.values == (learned, 1.0) and math.isclose(learned, 0.3, rel_tol=1e-6)


def test_drawn_rows_hold_inputs_and_mixes(mix, drawn, assert_readable):
    mix = mix(num_mix=3, size=(18, 30))
    index = mix.details['index']
    sweep = sweep_lambda(mix.augment, mix.inputs, mix.scores, index, lams=[0, 0.25, 1])
    figure = draw_sweep(sweep, mix.inputs, mix.stats, mix.names, rows=[4, 1])
    cells = drawn(figure)
    assert len(cells) == 2 * (3 + 3)
    for line, row in enumerate((4, 1)):
        for j in range(3):
            wanted = denormalize(mix.inputs[index[row, j]], mix.stats)
            np.testing.assert_array_equal(cells[6 * line + j][0], wanted)
        for s in range(3):
            wanted = denormalize(sweep.mixed[s, row], mix.stats)
            np.testing.assert_array_equal(cells[6 * line + 3 + s][0], wanted)
    texts = [text.get_text() for text in figure.texts]
    assert {'0', '0.25', '1', 'Input'} <= set(texts)
    assert any('λ₁' in text for text in texts)
    assert any(mix.names[int(index[4, 0])][:9] in text for text in texts)
    assert_readable(figure)


def test_drawn_steps_and_marked_learned_value(mix, drawn, assert_readable):
    mix = mix(channels=1)
    weights, index = mix.details['weights'], mix.details['index']
    sweep = sweep_temperature(
        mix.augment, mix.inputs, mix.scores, weights, index, temperatures=[0.1, 0.5, 5]
    )
    figure = draw_sweep(sweep, mix.inputs, mix.stats, mix.names, rows=[2], steps=True)
    cells = drawn(figure)
    assert len(cells) == 2 * (2 + 4)
    for j in (0, 1):
        heat = sweep.saliency[2, j, 0]
        heat = (heat - heat.min()) / (heat.max() - heat.min())
        np.testing.assert_array_equal(cells[6 + j][1], heat)
    for s in range(4):
        np.testing.assert_array_equal(cells[8 + s][0], sweep.masks[s, 2, 0, 0])
    marked = [
        position
        for position, axes in enumerate(figure.axes)
        if axes.spines['left'].get_linewidth() > 1
    ]
    assert marked == [2 + 2, 6 + 2 + 2]  # the learned 1.0 is third
    texts = [text.get_text() for text in figure.texts]
    assert 'learned\n1' in texts
    assert any(f'λ₁ = {weights[2, 0]:.2f}' in text for text in texts)
    assert_readable(figure)


@pytest.mark.parametrize('kind', ['SuperMix', 'SampleMixup', 'SampleCutMix'])
def test_lambda_sweep_of_a_mixer_without_saliency(mix_plainly, drawn, assert_readable, kind):
    mix = mix_plainly(kind, num_mix=3)
    index = mix.details['index']
    sweep = sweep_lambda(mix.augment, mix.inputs, mix.scores, index, lams=[0.2, 0.9], seed=3)
    assert sweep.saliency is None
    for position, lam in enumerate((0.2, 0.9)):
        mixed, details = mix.augment.mix_with_details(
            mix.inputs, mix.scores, Draw(constant(lam, 3), index, generator(3))
        )
        torch.testing.assert_close(sweep.mixed[position], mixed, rtol=0, atol=0)
        torch.testing.assert_close(sweep.masks[position], details['masks'], rtol=0, atol=0)
    assert not torch.equal(sweep.mixed[0], sweep.mixed[1])
    args = (sweep, mix.inputs, mix.stats, mix.names, [1, 4])
    assert len(drawn(draw_sweep(*args))) == 2 * (3 + 2)
    figure = draw_sweep(*args, steps=True)
    cells = drawn(figure)
    assert len(cells) == 2 * (3 + 2 + 2)  # below the inputs is nothing
    for s in (0, 1):
        np.testing.assert_array_equal(cells[7 + 5 + s][0], sweep.masks[s, 4, 0, 0])
    labels = {text.get_text() for text in figure.texts}
    assert 'mask 1' in labels and not any('aliency' in label for label in labels)
    assert_readable(figure)


def test_title_is_wider_than_a_single_column(mix, assert_readable):
    mix = mix()
    sweep = sweep_lambda(mix.augment, mix.inputs, mix.scores, mix.details['index'], lams=[0.5])
    assert_readable(draw_sweep(sweep, mix.inputs, mix.stats, rows=[0]))


class NoTemperature(BatchAugment):
    def mix(self, batch_inputs, batch_scores, draw):
        raise AssertionError('a sweep asked a mixer without a temperature to mix')


def test_errors_name_argument_and_value(mix):
    mix = mix()
    weights, index = mix.details['weights'], mix.details['index']
    batch = (mix.inputs, mix.scores)
    for lams in ([], [0.5, 1.5], [-0.1]):
        with pytest.raises(ValueError, match='lams must be .*numbers >= 0 and <= 1'):
            sweep_lambda(mix.augment, *batch, index, lams=lams)
    with pytest.raises(ValueError, match=r'temperatures must be .* > 0, got \[0, 1\]'):
        sweep_temperature(mix.augment, *batch, weights, index, temperatures=[0, 1])
    with pytest.raises(TypeError, match='NoTemperature'):
        sweep_temperature(NoTemperature(), *batch, weights, index)
    sweep = sweep_lambda(mix.augment, *batch, index, lams=[0.5])
    with pytest.raises(ValueError, match='batch of 5'):
        draw_sweep(sweep, mix.inputs, mix.stats, rows=[7])
