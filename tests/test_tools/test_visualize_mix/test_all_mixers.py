"""tools/visualize_mix.py with mixers that move nothing: SuperMix, SampleMixup, SampleCutMix."""

import numpy as np
import pytest

from mmtmix.datasets import FashionMNISTIdx

KINDS = ['SuperMix', 'SampleMixup', 'SampleCutMix']


@pytest.mark.host
@pytest.mark.parametrize('kind', KINDS)
def test_panel_and_lambda_sweep_of_every_mixer(plain_config, run, kind, assert_shows):
    path = plain_config(kind, num_mix=3)
    cells, texts = run(path, '--indices', '0', '3', '17', '4', '1', '2')
    assert len(cells) == 2 * 7
    data = FashionMNISTIdx(split='train')
    for row, images in ((0, (0, 3, 17)), (7, (4, 1, 2))):
        inputs, masks = ([cell[0] for cell in cells[row + c : row + c + 3]] for c in (0, 3))
        for array, image in zip(inputs, images, strict=True):
            assert_shows(array, data[image]['img'])
        blend = sum(mask * image for mask, image in zip(masks, inputs, strict=True))
        np.testing.assert_allclose(cells[row + 6][0], blend, atol=1e-5)
    labels = [text for text in texts if text.startswith('λ₁')]
    assert len(labels) == 2
    assert all(
        ('step' in label or 'finished' in label) == (kind == 'SuperMix') for label in labels
    )
    assert len(run(path, '--lam-sweep', '--num', '2')[0]) == 2 * (3 + 9)


def test_weights_that_the_mixer_changed_are_told(plain_config, run):
    cells, texts = run(plain_config('SampleCutMix'), '--num', '3')
    labels = [text.splitlines() for text in texts if text.startswith('λ₁')]
    for row, label in enumerate(labels):
        for j in (0, 1):
            assert label[j].startswith(f'λ{"₁₂"[j]} = {cells[5 * row + 2 + j][0].mean():.2f} ')


def test_supermix_says_which_samples_it_left_clean(plain_config, run):
    path = plain_config('SuperMix', on_failure='clean', labels='gt', min_iters=3)
    cells, texts = run(path, '--num', '4')
    labels = [text for text in texts if text.startswith('λ₁')]
    failed = [row for row, label in enumerate(labels) if 'not finished after 3' in label]
    assert failed and len(labels) == 4
    for row in failed:
        assert labels[row].startswith('λ₁ = 1.00')
        np.testing.assert_array_equal(cells[5 * row + 4][0], cells[5 * row][0])


@pytest.mark.parametrize('kind', KINDS)
def test_several_k_of_the_same_images(plain_config, run, kind, assert_shows):
    options = ['--num-mix', '2', '3', '--indices', '0', '3', '17', '4', '1', '2']
    cells, texts = run(plain_config(kind), *options)
    assert len(cells) == 2 * 5 + 2 * 7
    data = FashionMNISTIdx(split='train')
    starts = {0: (0, 3), 5: (4, 1), 10: (0, 3, 17), 17: (4, 1, 2)}
    for start, images in starts.items():
        for cell, image in zip(cells[start:], images, strict=False):
            assert_shows(cell[0], data[image]['img'])
    assert {'k = 2', 'k = 3'} < set(texts)
    again, same_texts = run(plain_config(kind, num_mix=4), *options)  # the config's k is not used
    assert texts == same_texts
    np.testing.assert_array_equal(cells[-1][0], again[-1][0])


def test_drawn_images_of_several_k_are_as_many_as_asked_for(plain_config, run):
    cells, _ = run(plain_config('SampleMixup'), '--num-mix', '4', '2', '--num', '3')
    assert len(cells) == 3 * 9 + 3 * 5


@pytest.mark.parametrize(
    ('kind', 'options', 'error', 'message'),
    [
        ('SuperMix', ['--temperature-sweep'], TypeError, 'needs a TransformMix, got SuperMix'),
        ('SampleMixup', ['--temperature-sweep'], TypeError, 'TransformMix, got SampleMixup'),
        (
            'SampleMixup',
            ['--num-mix', '2', '1'],
            ValueError,
            'num_mix must be .* >= 2, got 1',
        ),
        ('SampleMixup', ['--num-mix', '11'], ValueError, 'groups of 11 images of different'),
        (None, ['--num-mix', '2', '3'], ValueError, '--num-mix 2 3 is not for TransformMix.*of 2'),
    ],
)
def test_options_that_do_not_fit_the_mixer(
    config, plain_config, run, tmp_path, kind, options, error, message
):
    with pytest.raises(error, match=message):
        run(plain_config(kind) if kind else config(), *options)
    assert not (tmp_path / 'out').exists()
