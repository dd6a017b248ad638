"""The interface that every mixer shares, on the plainest one: Mixup."""

import copy

import pytest
import torch

from mmtmix.models import BatchAugment

pytestmark = pytest.mark.host


class Mixup(BatchAugment):
    """Blend by the weights; remembers what else it could draw."""

    def mix(self, images, scores, draw):
        self.drawn = torch.rand(3, generator=draw.generator)
        warped = images[draw.index]
        masks = draw.weights[..., None, None, None].expand(-1, -1, 1, *images.shape[-2:])
        shares = masks.to(images.dtype)
        details = dict(saliency=masks, theta=masks, warped=warped, masks=masks)
        return (shares * warped).sum(dim=1), details


def seeded(mixer, batch, seed, **kwargs):
    torch.manual_seed(seed)
    return mixer(*batch, **kwargs)


@pytest.mark.parametrize('num_mix', [2, 3, 4])
def test_targets_are_the_weighted_scores_of_the_mixed_images(make_batch, num_mix):
    inputs, scores = make_batch()
    _, targets, details = Mixup(num_mix)(inputs, scores, return_details=True)
    expected = torch.zeros(6, 10)
    for n in range(6):
        for i in range(num_mix):
            expected[n] += details['weights'][n, i] * scores[details['index'][n, i]]
    torch.testing.assert_close(targets, expected)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(6))
    assert (targets > 0).sum(dim=1).tolist() == [num_mix] * 6


def test_a_seed_repeats_all_that_is_drawn(make_batch):
    mixer, batch = Mixup(), make_batch()
    first, drawn = seeded(mixer, batch, 1), mixer.drawn
    second = seeded(mixer, batch, 1)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert torch.equal(mixer.drawn, drawn)
    assert not torch.equal(seeded(mixer, batch, 2)[0], first[0])


def test_one_call_after_another_draws_anew(make_batch):
    mixer, batch = Mixup(), make_batch()
    torch.manual_seed(0)
    assert not torch.equal(mixer(*batch)[0], mixer(*batch)[0])


def test_ranks_with_one_seed_draw_different_weights_and_partners(make_batch, monkeypatch):
    details = []
    for rank in range(3):
        monkeypatch.setattr('mmtmix.datasets.seeding.get_rank', lambda rank=rank: rank)
        details.append(seeded(Mixup(), make_batch(8), 0, return_details=True)[2])
    for name in ('weights', 'index'):
        values = [tuple(detail[name].flatten().tolist()) for detail in details]
        assert len(set(values)) == 3


def test_alpha_shapes_the_weights(make_batch):
    for alpha, low, high in ((0.05, 0.0, 0.1), (1000.0, 0.4, 0.6)):
        _, _, details = seeded(Mixup(alpha=alpha), make_batch(), 0, return_details=True)
        smaller = details['weights'].amin(dim=1).median()
        assert low <= smaller <= high


@pytest.mark.parametrize(('num_samples', 'num_mix'), [(1, 2), (2, 3), (3, 4)])
def test_a_batch_smaller_than_a_mix_comes_back_unmixed(make_batch, num_samples, num_mix):
    inputs, scores = make_batch(num_samples)
    mixed, targets = Mixup(num_mix)(inputs, scores)
    assert torch.equal(mixed, inputs)
    assert torch.equal(targets, scores)
    assert mixed.data_ptr() != inputs.data_ptr()
    assert targets.data_ptr() != scores.data_ptr()


def test_the_details_of_an_unmixed_batch_add_up(make_batch):
    inputs, scores = make_batch(2)
    mixed, targets, details = Mixup(3)(inputs, scores, return_details=True)
    shapes = {name: tuple(value.shape) for name, value in details.items()}
    assert shapes == dict(
        weights=(2, 3),
        index=(2, 3),
        warped=(2, 3, 3, 16, 16),
        masks=(2, 3, 1, 16, 16),
    )
    assert torch.equal((details['masks'] * details['warped']).sum(dim=1), mixed)
    weighted = details['weights'][..., None] * scores[details['index']]
    assert torch.equal(weighted.sum(dim=1), targets)


@pytest.mark.parametrize('num_samples', [1, 6])
def test_the_arguments_are_not_written_to(make_batch, num_samples):
    batch = make_batch(num_samples)
    before = [tensor.clone() for tensor in batch]
    mixed, targets = Mixup()(*batch)
    mixed.zero_()
    targets.zero_()
    assert all(torch.equal(a, b) for a, b in zip(batch, before, strict=True))


def test_one_hot_scores_of_integers_become_floats(make_batch):
    for num_samples in (1, 6):
        inputs, scores = make_batch(num_samples)
        assert Mixup()(inputs, scores.long())[1].dtype == torch.float32


def test_soft_scores_are_mixed_as_they_are(make_batch):
    inputs, _ = make_batch()
    scores = torch.rand(6, 10).softmax(dim=1).double()
    _, targets, details = Mixup()(inputs, scores, return_details=True)
    own, partner = scores[details['index']].unbind(dim=1)
    lam = details['weights'][:, :1].double()
    torch.testing.assert_close(targets, lam * own + (1 - lam) * partner)


def test_a_deep_copy_shares_it():
    mixer = Mixup()
    assert copy.deepcopy(dict(augments=[mixer]))['augments'][0] is mixer


@pytest.mark.parametrize('alpha', [0, -0.5, float('nan')])
def test_an_alpha_that_is_not_positive_is_refused(alpha):
    with pytest.raises(ValueError, match='alpha must be a finite number > 0'):
        Mixup(alpha=alpha)


def test_fewer_than_two_images_a_mix_are_refused():
    with pytest.raises(ValueError, match='num_mix must be an integer >= 2, got 1'):
        Mixup(num_mix=1)


def test_integer_labels_are_refused_with_the_cure(make_batch):
    inputs, scores = make_batch()
    with pytest.raises(ValueError, match=r'shape \(6,\) in torch.int64.*one_hot.*to_onehot=True'):
        Mixup()(inputs, scores.argmax(dim=1))


def test_images_that_are_not_floats_are_refused(make_batch):
    inputs, scores = make_batch()
    with pytest.raises(
        TypeError, match='batch_inputs must be normalised floating-point.*torch.uint8'
    ):
        Mixup()(inputs.to(torch.uint8), scores)
    with pytest.raises(TypeError, match=r'images \(N, C, H, W\), got \(3, 16, 16\)'):
        Mixup()(inputs[0], scores)


def test_another_number_of_scores_than_images_is_refused(make_batch):
    inputs, scores = make_batch()
    with pytest.raises(ValueError, match='batch_inputs has 6 images and batch_scores 5 labels'):
        Mixup()(inputs, scores[:5])


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
@pytest.mark.parametrize('num_samples', [1, 6])
def test_a_batch_that_is_not_finite_is_refused(make_batch, value, num_samples):
    inputs, scores = make_batch(num_samples)
    inputs[0, 1, 2, 3] = value
    with pytest.raises(ValueError, match='batch_inputs .* holds NaN or infinity'):
        Mixup()(inputs, scores)
