"""mmtmix.visualization.comparison."""

import numpy as np
import pytest
import torch

from mmtmix.models import Draw, SampleMixup
from mmtmix.visualization import denormalize, draw_comparison


@pytest.fixture
def mixes(mix_plainly):
    """A mixed batch for each k, of the same images."""

    def make(kind, ks=(2, 4, 3), **settings):
        return [mix_plainly(kind, k, **settings) for k in ks]

    return make


def draw(mixes, names=None):
    pairs = [(mix.mixed[1:3], {n: v[1:3] for n, v in mix.details.items()}) for mix in mixes]
    return draw_comparison(mixes[0].inputs, pairs, mixes[0].stats, names)


@pytest.mark.parametrize('kind', ['SuperMix', 'SampleMixup', 'SampleCutMix'])
def test_each_k_has_its_inputs_masks_and_mixes(mixes, drawn, assert_readable, kind):
    mixes = mixes(kind)
    figure = draw(mixes, mixes[0].names)
    wanted = []
    for mix in mixes:
        assert torch.equal(mix.inputs, mixes[0].inputs)
        for row in (1, 2):
            wanted += [*denormalize(mix.inputs[mix.details['index'][row]], mix.stats)]
            wanted += [*mix.details['masks'][row, :, 0].numpy()]
            wanted.append(denormalize(mix.mixed[row], mix.stats))
    for shown, picture in zip(drawn(figure), wanted, strict=True):
        np.testing.assert_array_equal(shown[0], picture)
    assert_readable(figure)


def test_same_steps_lie_below_each_other(mixes):
    figure = draw(mixes('SampleMixup'))
    ks = [2, 2, 4, 4, 3, 3]
    left = iter(round(axes.get_position().x0, 6) for axes in figure.axes)
    lines = [[next(left) for _ in range(2 * k + 1)] for k in ks]
    widest = lines[2]
    for k, line in zip(ks, lines, strict=True):
        assert line == widest[:k] + widest[4 : 4 + k] + widest[8:]


def test_blocks_are_labelled_with_k_shares_classes_and_steps(mixes):
    mixes = mixes('SuperMix')
    found = [text.get_text() for text in draw(mixes, 'abcde').texts]
    assert [text for text in found if text.startswith('k = ')] == ['k = 2', 'k = 4', 'k = 3']
    labels = [text.splitlines() for text in found if text.startswith('λ₁')]
    assert [len(label) for label in labels] == [3, 3, 5, 5, 4, 4]
    assert all('step' in label[-1] or 'not finished' in label[-1] for label in labels)
    for mix, label in zip(mixes, labels[::2], strict=True):
        share, name = mix.details['weights'][1, 1], 'abcde'[mix.details['index'][1, 1]]
        assert label[1] == f'λ₂ = {share:.2f} {name}'


def test_steps_that_other_mixers_have_are_drawn_as_well(mix, drawn):
    mixes = [mix(num_mix=k) for k in (2, 3)]
    assert len(drawn(draw(mixes))) == 2 * (9 + 13)


def test_more_mixes_than_images(mixes, drawn):
    (mix,) = mixes('SampleMixup', ks=(2,))
    index = torch.tensor([[0, 1], [2, 3], [3, 4], [4, 0], [1, 2], [0, 2]])
    weights = torch.full((6, 2), 0.5)
    drawn_mixes = Draw(weights, index, torch.Generator())
    mixed, details = SampleMixup(2).mix_with_details(mix.inputs, mix.scores, drawn_mixes)
    details = {'index': index, **details}
    figure = draw_comparison(mix.inputs, [(mixed, details)], mix.stats, mix.names)
    assert len(drawn(figure)) == 6 * 5


def test_errors_name_argument_and_value(mix, mixes):
    (plain,) = mixes('SampleMixup', ks=(2,))
    stats, pair = plain.stats, (plain.mixed, plain.details)
    with pytest.raises(ValueError, match='mixes is empty'):
        draw_comparison(plain.inputs, [], stats)
    with pytest.raises(ValueError, match='lack weights, index.*return_details=True'):
        draw_comparison(plain.inputs, [pair, (plain.mixed, {})], stats)
    with pytest.raises(ValueError, match='names has 1 entries for a batch of 5'):
        draw_comparison(plain.inputs, [pair], stats, ['one'])
    other = mix(size=(24, 20))
    with pytest.raises(ValueError, match=r"the same steps, got .*'Saliency'"):
        draw_comparison(plain.inputs, [pair, (other.mixed, other.details)], stats)
