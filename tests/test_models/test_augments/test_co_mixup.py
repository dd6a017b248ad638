"""Co-Mixup: its mixes taken apart, its groups, and what it refuses."""

import sys

import pytest
import torch
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.models import CoMixup, Draw, SaliencySource
from mmtmix.models.draw import REPLAY

pytestmark = pytest.mark.host


class Given(SaliencySource):
    """Saliency that is drawn once, and counts how often it is asked."""

    def __init__(self):
        self.calls = 0

    def __call__(self, batch_inputs, batch_scores):
        self.calls += 1
        generator = torch.Generator().manual_seed(3)
        shape = len(batch_inputs), 1, *batch_inputs.shape[-2:]
        return torch.rand(shape, generator=generator) ** 4


class Squares(SaliencySource):
    """Sees large values."""

    def __call__(self, batch_inputs, batch_scores):
        return batch_inputs.square().mean(dim=1, keepdim=True)


def mix(batch, seed=0, repeat=1, **settings):
    settings = dict(dict(saliency=Given(), group_size=4), **settings)
    torch.manual_seed(seed)
    return CoMixup(**settings)(*batch, return_details=True, repeat=repeat)


@pytest.mark.parametrize('shape', [(3, 16, 16), (1, 12, 20), (3, 7, 5)])
@pytest.mark.parametrize('block_num', [None, 1, [2, 4]])
@pytest.mark.parametrize(('num_samples', 'repeat'), [(6, 1), (2, 1), (5, 3)])
def test_mixes_and_targets_add_up_pixel_by_pixel(
    make_batch, shape, block_num, num_samples, repeat
):
    inputs, scores = make_batch(num_samples, shape)
    mixed, targets, details = mix((inputs, scores), repeat=repeat, block_num=block_num)
    count, k = num_samples * repeat, details['weights'].size(1)
    assert k >= 2
    shapes = {name: tuple(value.shape) for name, value in details.items() if name not in REPLAY}
    assert shapes == dict(
        weights=(count, k),
        index=(count, k),
        warped=(count, k, *shape),
        masks=(count, k, 1, *shape[1:]),
        saliency=(count, k, 1, *shape[1:]),
    )
    masks, weights, index = details['masks'], details['weights'], details['index']
    assert set(masks.unique().tolist()) <= {0.0, 0.5, 1.0}
    torch.testing.assert_close(masks.sum(dim=1), torch.ones(count, 1, *shape[1:]))
    torch.testing.assert_close(masks.mean(dim=(2, 3, 4)), weights)
    for n in range(count):
        image, label = torch.zeros(shape), torch.zeros(10)
        for i, partner in enumerate(index[n]):
            assert torch.equal(details['warped'][n, i], inputs[partner])
            # groups are four in the order of the batch, and mixes stay within
            assert int(partner) // 4 == (n % num_samples) // 4
            image += masks[n, i] * inputs[partner]
            label += weights[n, i] * scores[partner]
        torch.testing.assert_close(mixed[n], image)
        torch.testing.assert_close(targets[n], label)


def test_images_come_by_share_and_each_once(make_batch):
    _, _, details = mix(make_batch(10, (3, 16, 16)), group_size=10, block_num=8, seed=1)
    weights, index = details['weights'], details['index']
    assert weights.size(1) >= 3
    assert (weights.diff(dim=1) <= 1e-6).all()
    for row, images in zip(weights, index, strict=True):
        used = images[row > 0].tolist()
        assert len(used) == len(set(used))
        assert images[row == 0].eq(images[0]).all()
    assert len(set(map(tuple, index.tolist()))) > 5  # not all alike


def test_a_last_image_alone_stays_as_it_is(make_batch):
    inputs, scores = make_batch(5)
    mixed, targets, details = mix((inputs, scores))
    assert torch.equal(mixed[4], inputs[4])
    assert torch.equal(targets[4], scores[4])
    assert details['weights'][4, 0] == 1


def test_the_prior_moves_shares_to_what_it_wants(make_batch, monkeypatch):
    batch = make_batch(4)
    wanted = torch.tensor([[0.97, 0.01, 0.01, 0.01]])
    monkeypatch.setattr('mmtmix.models.augments.co_mixup.draw_weights', lambda *_: wanted)
    used = []
    for eta in (0.0, 0.5):
        _, _, details = mix(batch, eta=eta, gamma=0.01)
        used.append(float(details['weights'][details['index'] == 0].sum()))
    assert used[1] > used[0]


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_the_inputs_keep_their_dtype(make_batch, dtype):
    inputs, scores = make_batch()
    inputs = inputs.to(dtype)
    expected, targets, _ = mix((inputs.float(), scores))
    mixed, same_targets, details = mix((inputs, scores))
    assert mixed.dtype == details['warped'].dtype == dtype
    torch.testing.assert_close(mixed.float(), expected, atol=1e-2, rtol=1e-2)
    assert torch.equal(same_targets, targets)


def test_a_seed_repeats_the_mix_and_arguments_are_not_written_to(make_batch):
    batch = make_batch()
    before = [tensor.clone() for tensor in batch]
    first, second = mix(batch), mix(batch)
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[0], mix(batch, seed=1)[0])
    first[0].zero_()
    assert all(torch.equal(a, b) for a, b in zip(batch, before, strict=True))


def test_a_batch_of_one_comes_back_unmixed_and_nobody_is_asked(make_batch):
    inputs, scores = make_batch(1)
    saliency = Given()
    mixed, _, _ = mix((inputs, scores), saliency=saliency)
    assert torch.equal(mixed, inputs)
    assert saliency.calls == 0
    mix(make_batch(6), saliency=saliency, repeat=3)
    assert saliency.calls == 1


def test_the_defaults_are_those_published_for_cifar():
    mixer = CoMixup()
    settings = mixer.settings
    assert (settings.beta, settings.gamma, settings.tau) == (0.32, 1.0, 0.83)
    assert (settings.sweeps, settings.resolve) == (4, True)
    assert (mixer.alpha, mixer.eta, mixer.omega) == (2.0, 0.05, 0.001)
    assert (mixer.block_num, mixer.group_size, mixer.saliency.clean_lam) == (4, 20, 1.0)


@pytest.mark.parametrize('rows', [[3, 0, 5], [2]])
def test_a_part_of_a_batch_is_mixed_within_itself(make_batch, rows):
    inputs, scores = make_batch(6)
    rows = torch.tensor(rows)
    weights = torch.ones(len(rows), 2) / 2
    draw = Draw(weights, rows[:, None].repeat(1, 2), torch.Generator().manual_seed(1))
    mixed, details = CoMixup(saliency=Squares()).mix(inputs, scores, draw)
    own = torch.arange(len(rows))[:, None].repeat(1, 2)
    again = Draw(weights, own, torch.Generator().manual_seed(1))
    alone, same = CoMixup(saliency=Squares()).mix(inputs[rows], scores[rows], again)
    assert torch.equal(mixed, alone)
    assert torch.equal(details['index'], rows[same['index']])
    assert set(details['index'].flatten().tolist()) <= set(rows.tolist())
    torch.testing.assert_close(details['weights'].sum(dim=1), torch.ones(len(rows)))
    if len(rows) == 1:
        assert torch.equal(mixed, inputs[rows])


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(alpha=0), 'alpha must be a finite number > 0'),
        (dict(block_num=0), 'block_num must be an integer >= 1, got 0'),
        (dict(group_size=1), 'group_size must be an integer >= 2, got 1'),
        (dict(eta=-1), 'eta must be a finite number >= 0, got -1'),
        (dict(omega=1.5), 'omega must be a finite number >= 0 and <= 1, got 1.5'),
        (dict(tau=-1), 'tau must be a finite number >= 0'),
    ],
)
def test_arguments_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        BATCH_AUGMENTS.build(dict(type='CoMixup', **settings))


def test_an_unknown_argument_is_refused():
    with pytest.raises(TypeError, match="CoMixup has no 'betta'; did you mean 'beta'"):
        CoMixup(betta=1.0)


def test_without_the_library_it_is_not_even_built(monkeypatch):
    monkeypatch.setitem(sys.modules, 'maxflow', None)
    with pytest.raises(ImportError, match='pip install PyMaxflow'):
        CoMixup()


def test_without_a_live_model_the_error_names_the_hook(make_batch):
    with pytest.raises(RuntimeError, match=r"custom_hooks=\[dict\(type='LiveModelHook'\)\]"):
        CoMixup()(*make_batch())
