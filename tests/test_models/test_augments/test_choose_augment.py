"""ChooseAugment: who mixes what, how often, and at which cost."""

import pytest
import torch
from mmpretrain.registry import BATCH_AUGMENTS

from mmtmix.models import (
    ChooseAugment,
    CoMixup,
    InputGradient,
    SaliencySource,
    SampleCutMix,
    SampleMixup,
)
from mmtmix.models.augments import building
from mmtmix.models.saliency import LiveModel, set_live_model

pytestmark = pytest.mark.host


class Counted(SaliencySource):
    """Saliency that counts the images that it was computed for."""

    def __init__(self):
        self.images = []

    def __call__(self, batch_inputs, batch_scores):
        self.images.append(len(batch_inputs))
        return batch_inputs.float().square().mean(dim=1, keepdim=True)


class Halves(SampleMixup):
    """Mixup that keeps the draws that it gets."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.draws = []

    def mix(self, images, scores, draw):
        self.draws.append((len(images), draw))
        return super().mix(images, scores, draw)


def batch(count, size=(3, 8, 8), num_classes=10):
    generator = torch.Generator().manual_seed(count)
    labels = torch.randint(num_classes, (count,), generator=generator)
    images = torch.randn(count, *size, generator=generator)
    return images, torch.nn.functional.one_hot(labels, num_classes).float()


def test_each_sample_is_mixed_as_its_augment_would(make_augment):
    learned = make_augment(3)
    augment = ChooseAugment([SampleMixup(), SampleCutMix(3), learned], [0.3, 0.3, 0.2])
    images, scores = batch(24, (3, 16, 16))
    torch.manual_seed(1)
    mixed, targets, details = augment(images, scores, return_details=True)
    choice, index, weights = (details[name] for name in ('choice', 'index', 'weights'))
    assert set(choice.tolist()) == {-1, 0, 1, 2}
    assert mixed.shape == images.shape and details['warped'].shape == (24, 3, 3, 16, 16)
    assert torch.equal(index[:, 0], torch.arange(24))
    rest = choice == -1
    assert rest[index[~rest]].any()  # partners come from the whole batch
    assert torch.equal(mixed[rest], images[rest]) and torch.equal(targets[rest], scores[rest])
    pairs = choice == 0
    assert (weights[pairs, 2] == 0).all() and (details['masks'][pairs, 2] == 0).all()
    lam = weights[pairs, :1, None, None]
    expected = lam * images[pairs] + (1 - lam) * images[index[pairs, 1]]
    torch.testing.assert_close(mixed[pairs], expected)
    assert set(details['masks'][choice == 1].unique().tolist()) == {0.0, 1.0}
    by_masks = (details['masks'] * details['warped']).sum(dim=1)
    torch.testing.assert_close(mixed, by_masks)
    by_weights = (weights[..., None] * scores[index]).sum(dim=1)
    torch.testing.assert_close(targets, by_weights)
    torch.manual_seed(1)
    plain = augment(images, scores)
    assert torch.equal(plain[0], mixed) and torch.equal(plain[1], targets)


@pytest.mark.parametrize('per', ['sample', 'batch'])
def test_choices_are_as_frequent_as_their_probabilities(per):
    probs = [0.5, 0.2, 0.1]
    augment = ChooseAugment([SampleMixup(), SampleMixup(), SampleCutMix(3)], probs, per)
    scores = torch.eye(4)[torch.arange(20) % 4]
    torch.manual_seed(0)
    if per == 'sample':
        choices = torch.stack([augment.make_draw(scores).choice for _ in range(200)])
    else:
        choices = augment.make_draw(scores, repeat=3000).choice.view(-1, 20)
        assert (choices == choices[:, :1]).all()
        choices = choices[:, :1]
    expected = torch.tensor([*probs, 0.2])
    found = torch.stack([(choices == number).double().mean() for number in (0, 1, 2, -1)])
    deviation = (expected * (1 - expected) / choices.numel()).sqrt()
    assert ((found - expected).abs() < 4 * deviation).all()
    if per == 'sample':  # samples choose independently: pairs agree as often as chance says
        agree = (choices[:, :-1] == choices[:, 1:]).double().mean()
        assert abs(agree - expected.square().sum()) < 0.03


def test_no_mix_is_made_that_is_not_used():
    first, second, source = Halves(), Halves(num_mix=3), Counted()
    salient = BATCH_AUGMENTS.build(dict(type='SaliencyMix', saliency=source))
    augment = ChooseAugment([first, second, salient], [0.2, 0.1, 0.1])
    images, scores = batch(60)
    torch.manual_seed(0)
    for _ in range(5):
        *_, details = augment(images, scores, return_details=True)
        for number, part in ((0, first), (1, second)):
            made = [draw for _, draw in part.draws]
            part.draws.clear()
            assert sum(len(draw.index) for draw in made) == (details['choice'] == number).sum()
            assert all(draw.index.size(1) == part.num_mix for draw in made)
    # the network behind the saliency sees the images of its mixes alone, or the batch
    assert source.images and all(count < 30 for count in source.images)
    often = ChooseAugment([BATCH_AUGMENTS.build(dict(type='SaliencyMix', saliency=source))], [0.9])
    often(images, scores)
    assert source.images[-1] == 60


def test_a_clean_loss_sees_the_whole_batch():
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 10))

    class Live(torch.nn.Module):
        def forward(self, images, mode):
            self.count = len(images)
            return net(images)

    source = InputGradient(clean_lam=1.0, clean_factor=1.0)
    augment = ChooseAugment([CoMixup(saliency=source), SampleMixup()], [0.3, 0.3])
    live = Live()
    set_live_model(LiveModel(live))
    try:
        torch.manual_seed(2)
        mixed, targets, details = augment(*batch(12), return_details=True)
    finally:
        set_live_model(None)
    grouped = (details['choice'] == 0).nonzero()[:, 0]
    assert live.count == 12 and 1 < len(grouped) < 12
    assert set(details['index'][grouped].flatten().tolist()) <= set(grouped.tolist())
    torch.testing.assert_close((details['masks'] * details['warped']).sum(dim=1), mixed)


@pytest.mark.parametrize('per', ['sample', 'batch'])
def test_a_batch_can_be_mixed_several_times(per):
    augment = ChooseAugment([SampleMixup(), CoMixup(saliency=Counted())], [0.4, 0.4], per)
    images, scores = batch(6)
    torch.manual_seed(5)
    mixed, targets, details = augment(images, scores, return_details=True, repeat=4)
    assert mixed.shape == (24, 3, 8, 8) and targets.shape == (24, 10)
    assert len(details['choice'].unique()) > 1
    torch.testing.assert_close((details['masks'] * details['warped']).sum(dim=1), mixed)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(24))


def test_ranks_choose_differently(monkeypatch):
    augment, scores = ChooseAugment([SampleMixup()], [0.5]), torch.eye(32)
    choices = []
    for rank in (0, 1, 0):
        monkeypatch.setattr('mmtmix.datasets.seeding.get_rank', lambda rank=rank: rank)
        torch.manual_seed(0)
        choices.append(augment.make_draw(scores).choice)
    assert torch.equal(choices[0], choices[2]) and not torch.equal(choices[0], choices[1])


def test_the_parts_are_checked_and_loaded(make_teacher, teacher_args):
    teacher = make_teacher(num_classes=10)
    augment = ChooseAugment(
        [dict(type='FMix'), dict(type='SuperMix', teacher=teacher, num_mix=3)], [0.5, 0.5]
    )
    assert augment.num_mix == 3 and augment.needs_network
    with pytest.raises(ValueError, match='SuperMix has num_mix=3 .* the task has 2 classes'):
        augment.check_classes(2)
    with pytest.raises(ValueError, match='the task has 2 classes'):
        ChooseAugment([dict(type='SuperMix', teacher=teacher, num_mix=3)], [1.0], num_classes=2)
    missing = dict(type='SuperMix', teacher=dict(teacher_args(), checkpoint='nowhere.pth'))
    with pytest.raises(FileNotFoundError, match='nowhere.pth'):
        ChooseAugment([missing], [1.0]).load()
    preprocessor = torch.nn.Module()
    preprocessor.batch_augments = type('Chosen', (), dict(augments=[augment]))
    model = torch.nn.Module()
    model.data_preprocessor = preprocessor
    assert [type(one).__name__ for one in building.iter_augments(model)] == ['FMix', 'SuperMix']


@pytest.mark.parametrize(
    ('settings', 'error', 'message'),
    [
        (dict(augments=[]), TypeError, 'augments must be a list of batch augments'),
        (dict(augments=dict(type='FMix')), TypeError, 'augments must be a list of batch augments'),
        (dict(augments=[dict(type='CutMix', alpha=1.0)]), TypeError, "'SampleCutMix' in place of"),
        (dict(augments=[ChooseAugment([SampleMixup()], [0.5])]), TypeError, 'no ChooseAugment'),
        (dict(probs=[0.5, 0.5]), ValueError, 'probs must be 1 finite numbers > 0'),
        (dict(probs=[0.0]), ValueError, 'probs must be 1 finite numbers > 0'),
        (dict(probs=[1.1]), ValueError, 'probs must sum to at most 1, got .* a sum of 1.1'),
        (dict(per='pixel'), ValueError, "per must be one of 'sample', 'batch', got 'pixel'"),
        (
            dict(augments=[CoMixup(), CoMixup()], probs=[0.5, 0.5]),
            ValueError,
            'several with a clean loss',
        ),
    ],
)
def test_bad_settings_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        ChooseAugment(**{'augments': [dict(type='FMix')], 'probs': [0.5], **settings})


def test_a_draw_without_a_choice_is_refused():
    draw = SampleMixup().make_draw(torch.eye(4))
    with pytest.raises(ValueError, match='draw has no choice.*make_draw'):
        ChooseAugment([SampleMixup()], [0.5]).mix(*batch(4), draw)


def test_it_mixes_in_a_run(method_runner):
    augments = [dict(type='SampleMixup'), dict(type='FMix'), dict(type='SampleCutMix', num_mix=3)]
    chosen = dict(type='ChooseAugment', augments=augments, probs=[0.3, 0.3, 0.3])
    runner = method_runner('fmix', **{'model.train_cfg.augments': chosen})
    calls = []
    (augment,) = runner.model.data_preprocessor.batch_augments.augments
    mix = augment.mix
    augment.mix = lambda *args: calls.append(args[2].choice.tolist()) or mix(*args)
    runner.train()
    assert len(calls) == 2 and {len(call) for call in calls} == {12}
    assert len({one for call in calls for one in call}) > 1
    assert runner.message_hub.get_scalar('train/loss').current() > 0


def test_a_batch_smaller_than_its_largest_mix_is_refused_before_the_run(method_runner):
    augments = [dict(type='SampleMixup'), dict(type='FMix', num_mix=13)]
    chosen = dict(type='ChooseAugment', augments=augments, probs=[0.5, 0.5])
    runner = method_runner('fmix', **{'model.train_cfg.augments': chosen})
    with pytest.raises(ValueError, match='ChooseAugment has num_mix=13 .*batch_size=12'):
        runner.train()
