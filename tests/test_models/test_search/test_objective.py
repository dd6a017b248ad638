"""Terms beside the teacher's cross entropy: off by default, lowered by steps, by hand."""

import copy

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from mmtmix.functional import hardness, resize_map, soft_cross_entropy
from mmtmix.models.measures import Measures, measuring

pytestmark = pytest.mark.host

EARLY = dict(beta=0.5)


@pytest.fixture
def make_search(teacher_args):
    """Make a search whose early teacher has other weights than its teacher."""

    def make(hard_for=None, **settings):
        mixer = dict(type='TransformMixer', cam_size=18, channels=8, **settings.pop('mixer', {}))
        teacher = dict(teacher_args(), channel_order='rgb')
        config = dict(type='MixerSearch', teacher=teacher, mixer=mixer, **settings)
        if hard_for is not None:
            config['hard_for'] = dict(teacher=teacher, **hard_for)
        torch.manual_seed(0)
        search = MODELS.build(dict(config, _scope_='mmpretrain'))
        if hard_for is not None:
            search.hard_for.teacher = copy.copy(search.teacher)
            search.hard_for.teacher.model = early = copy.deepcopy(search.teacher.model)
            search.hard_for.teacher._forward = lambda images: early(images, mode='tensor')
            # early in a training: less sure than chance would be wrong
            early.head.fc.weight.mul_(0.2)
            early.head.fc.bias.mul_(0.2)
        return search

    return make


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(2)
    samples = [DataSample().set_gt_label(label) for label in (3, 1, 4, 1, 3, 0, 2, 5)]
    return torch.randn(8, 3, 16, 16, generator=generator), samples


def losses_of(search, batch, seed=0):
    torch.manual_seed(seed)
    return search(*batch, mode='loss')


def test_off_a_search_is_what_it_was(make_search, batch):
    plain = losses_of(make_search(), batch)
    assert plain.keys() == {'loss'}
    off = losses_of(make_search(labels='gt', diversity=0.0), batch)
    assert torch.equal(off['loss'], plain['loss'])
    terms = losses_of(make_search(hard_for=EARLY, diversity=0.1), batch)
    assert terms.keys() == {'loss_teacher', 'loss_hard', 'loss_diversity'}
    # what terms draw comes after all else
    assert torch.equal(terms['loss_teacher'], plain['loss'])


@pytest.mark.parametrize('form', ['clipped', 'unlikelihood'])
def test_the_hard_term_is_that_of_the_early_teacher(make_search, batch, form):
    search, made = make_search(hard_for=dict(EARLY, form=form)), []
    search.hard_for.teacher._forward = _keeping(search.hard_for.teacher._forward, made)
    taken = Measures()
    with measuring(taken, in_full=False):
        losses = losses_of(search, batch)
    torch.manual_seed(0)
    mixed = search(*batch)
    logits = search.hard_for.teacher.model(mixed, mode='tensor')
    torch.testing.assert_close(made[0], logits, atol=1e-4, rtol=1e-4)
    targets = _targets(search, batch)
    expected = 0.5 * hardness(logits, targets, form).mean()
    torch.testing.assert_close(losses['loss_hard'], expected, atol=1e-4, rtol=1e-3)
    found = taken.read()
    assert found['hard_mixed_ce'] == pytest.approx(
        soft_cross_entropy(logits, targets).mean().item(), rel=1e-3
    )
    assert 0 <= found['hard_mixed_acc'] <= 100


def _keeping(forward, made):
    def kept(images):
        made.append(forward(images))
        return made[-1]

    return kept


def _targets(search, batch):
    """The labels of the mixes that a seed of 0 draws."""
    from mmtmix.models.draw import rank_generator

    torch.manual_seed(0)
    draw = search._draw(batch[0], rank_generator())
    scores = search.read_scores(batch[1])
    return (draw.weights[..., None] * scores[draw.index]).sum(dim=1)


def step_lowers(search, batch, name, lr=0.02, steps=25):
    """Return a term before and after steps by this term alone, on fixed draws."""
    optimizer = torch.optim.Adam(search.parameters(), lr=lr)
    before = losses_of(search, batch)[name].item()
    for _ in range(steps):
        optimizer.zero_grad()
        losses_of(search, batch)[name].backward()
        optimizer.step()
    return before, losses_of(search, batch)[name].item()


@pytest.mark.parametrize('form', ['clipped', 'unlikelihood'])
def test_steps_make_mixes_harder_for_the_early_teacher(make_search, batch, form):
    search = make_search(hard_for=dict(EARLY, form=form))
    before, after = step_lowers(search, batch, 'loss_hard')
    assert after < before - 1e-3
    assert all(weight.grad is None for weight in search.hard_for.teacher.model.parameters())
    assert not any('hard_for' in name for name in search.state_dict())


def follow_z(search):
    """Give a new transformer, whose last layer is 0, weights by which theta follows z."""
    torch.manual_seed(3)
    torch.nn.init.normal_(search.mixer.stn.fc.weight, std=0.05)
    return search


def test_the_diversity_term_compares_two_z_alone(make_search, batch):
    search = follow_z(make_search(diversity=0.2))
    noises, masks, forward = [], [], search.mixer.forward

    def kept(saliency, weights, noise):
        noises.append(noise)
        theta, found = forward(saliency, weights, noise)
        masks.append(found)
        return theta, found

    search.mixer.forward = kept
    losses = losses_of(search, batch)
    one, other = noises
    # signs of orientations and the noise on the saliency are equal
    assert torch.equal(one[:, 1:], other[:, 1:]) and (one[:, :1] != other[:, :1]).all()
    ratio = [resize_map(each.squeeze(2), 16) for each in masks]
    ratio = (ratio[0] - ratio[1]).abs().mean() / (one[:, 0] - other[:, 0]).abs().mean()
    torch.testing.assert_close(losses['loss_diversity'], 0.2 / (ratio + 0.1))


def test_a_module_that_ignores_z_has_the_largest_diversity_loss(make_search, batch):
    # its last layer is 0: what it adds to the saliency and turns differs, and does not count
    search = make_search(diversity=0.2)
    assert search.mixer.saliency_noise and search.mixer.random_orientation
    assert losses_of(search, batch)['loss_diversity'].item() == pytest.approx(2.0)


def test_steps_make_masks_differ_by_z(make_search, batch):
    search = follow_z(make_search(diversity=1.0))
    before, after = step_lowers(search, batch, 'loss_diversity')
    assert after < before - 0.1


def test_labels_follow_the_visible_saliency_with_gradients(make_search, batch):
    search, made = make_search(labels='visible'), []
    search.teacher._forward = _keeping(search.teacher._forward, made)
    taken = Measures()
    with measuring(taken, in_full=False):
        losses_of(search, batch)
    moved = taken.read()['labels_moved']
    assert 0 < moved < 1
    # a step on the labels alone: the teacher's logits count as constants
    search.teacher._forward = lambda images: made[0].detach() + 0 * images.sum()
    before, after = step_lowers(search, batch, 'loss')
    assert after < before


@pytest.mark.parametrize('padding', ['border', 'zeros'])
def test_visible_labels_by_a_loop(make_search, batch, padding):
    from mmtmix.functional import warp
    from mmtmix.models.draw import rank_generator
    from mmtmix.models.teacher_mix import mix_with_teacher, visible_weights

    search = make_search(mixer=dict(padding_mode=padding))
    torch.nn.init.normal_(search.mixer.stn.fc.bias, std=0.2)
    scores = search.read_scores(batch[1])
    draw = search._draw(batch[0], rank_generator())
    _, details = mix_with_teacher(search.teacher, search.mixer, batch[0], scores, draw)
    found = visible_weights(details, search.mixer)
    for n in range(8):
        seen = []
        for i in range(2):
            theta = details['theta'][n : n + 1, i : i + 1]
            moved = warp(details['saliency'][n : n + 1, i : i + 1], theta, padding)[0, 0, 0]
            mask = resize_map(details['masks'][n : n + 1, i], 18)[0, 0]
            seen.append(float((moved * mask).sum()))
        expected = torch.tensor([one / sum(seen) for one in seen])
        torch.testing.assert_close(found[n].detach(), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ('settings', 'error', 'message'),
    [
        (dict(labels='given'), ValueError, "labels must be one of 'gt', 'visible'"),
        (dict(diversity=-1), ValueError, 'diversity must be a finite number >= 0'),
        (
            dict(diversity=0.1, mixer=dict(transform='none')),
            ValueError,
            "got 0.1.*set transform='s",
        ),
        (dict(hard_for=dict(beta=0)), ValueError, r"hard_for\['beta'\] must be .* > 0"),
        (dict(hard_for=dict(form='soft')), ValueError, r"hard_for\['form'\] must be one of"),
        (dict(hard_for=dict(betas=1)), TypeError, "hard_for has no 'betas'"),
        (dict(hard_for=dict(teacher=None)), ValueError, 'hard_for needs a teacher'),
        (dict(hard_for=0.5), TypeError, 'hard_for must be a dict'),
    ],
)
def test_bad_settings_are_refused(teacher_args, settings, error, message):
    teacher = dict(teacher_args(), channel_order='rgb')
    if isinstance(settings.get('hard_for'), dict):
        settings = dict(settings, hard_for={'teacher': teacher, **settings['hard_for']})
    mixer = dict(type='TransformMixer', cam_size=18, **settings.pop('mixer', {}))
    config = dict(type='MixerSearch', teacher=teacher, mixer=mixer, **settings)
    with pytest.raises(error, match=message):
        MODELS.build(dict(config, _scope_='mmpretrain'))
