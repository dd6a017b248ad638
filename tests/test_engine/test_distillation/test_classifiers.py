"""Students that do more in training than to classify their images."""

import pytest
import torch
import torch.nn.functional as F

from mmtmix.models import HeadUse, ManifoldMixup

pytestmark = pytest.mark.host

KD = dict(type='KDLoss')
MIXUP = dict(augment=dict(type='SampleMixup'))
OFFLINE = dict(dataloader=dict(dataset=dict(type='Noise', size=5, seed=2)))
PIPELINE = [dict(type='AugMix'), dict(type='PackInputs')]
VIEWS = dict(train=dict(dataset=dict(type='Noise', pipeline=PIPELINE)))
# nothing moves, so the student at the end is the student of every step
STILL = dict(optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.0)))


@pytest.fixture
def student(student_config):
    """Make a config of the same two layers: ``student('AugMixClassifier', jsd_weight=3.0)``."""
    return lambda kind, **settings: dict(student_config(), type=kind, **settings)


@pytest.fixture
def train(distill_runner, scalars):
    """Train three steps; give the runner and what it logged."""

    def run(hook, **options):
        runner = distill_runner(hook, **options)
        runner.train()
        return runner, scalars(runner)

    return run


@pytest.fixture
def refuse(distill_runner):
    """See that a run ends with an error before its first step."""

    def check(hook, said, **options):
        runner = distill_runner(hook, **options)
        with pytest.raises(ValueError, match=said):
            runner.train()
        assert not hasattr(runner.seen, 'student')  # which a training begins with

    return check


def test_a_student_that_mixes_inside_is_refused(refuse, student):
    model = student('ManifoldMixup', layers=['input', 'backbone.conv'])
    said = "model.type='ManifoldMixup' mixes inside .*; use model.type='ImageClassifier' and mix"
    refuse(dict(preset='kd'), said, model=model)


@pytest.mark.parametrize(
    ('hook', 'said'),
    [
        (dict(preset='crd'), 'losses has CRDLoss'),
        (dict(losses=[KD], mixed=MIXUP), 'mixed images are given'),
        (dict(losses=[KD], mixed=OFFLINE), 'mixed images are given'),
        (dict(losses=[dict(type='CRDLoss')], mixed=MIXUP), 'losses has CRDLoss and mixed images'),
    ],
)
def test_what_goes_by_the_sample_is_refused_to_one_that_sees_views(refuse, student, hook, said):
    said = f"model.type='AugMixClassifier' takes several views of each sample, and {said}"
    refuse(hook, f"{said}.*; use losses=.*'KDLoss'", model=student('AugMixClassifier'), **VIEWS)


def test_kd_compares_every_view_and_their_divergence_keeps_its_weight(
    train, distill_hook, student
):
    settings = dict(model=student('AugMixClassifier', jsd_weight=3.0), **VIEWS, **STILL)
    runner, logged = train(dict(preset='kd'), **settings)
    _, plain = train(None, **settings)
    assert logged.keys() - {'loss_kd', 'loss_cls'} == plain.keys()
    assert logged['loss_jsd'] == plain['loss_jsd'] and all(plain['loss_jsd'])
    assert logged['loss_cls'] == pytest.approx([0.1 * loss for loss in plain['loss']])
    teacher = distill_hook(runner).objective.teacher
    for images, term in zip(runner.seen.student, logged['loss_kd'], strict=True):
        assert len(images) == 12  # three views of four
        ours, theirs = (
            F.log_softmax(network(images) / 4, dim=1) for network in (runner.model, teacher)
        )
        divergence = 16 * (theirs.exp() * (theirs - ours)).sum() / 12
        assert term == pytest.approx(0.9 * divergence.item(), rel=1e-4)


@pytest.fixture
def automix():
    """What AutoMix needs for those layers, its hook among it."""
    block = dict(type='MixBlock', in_channels=8)
    hooks = (dict(type='AutoMixHook'),)
    return dict(mix_block=block, mask_layer='backbone.conv', hooks=hooks)


def test_what_a_mix_block_learns_from_keeps_its_weight(train, student, automix):
    hooks = automix.pop('hooks')
    settings = dict(model=student('AutoMixClassifier', **automix), hooks=hooks, **STILL)
    _, logged = train(dict(preset='kd'), **settings)
    _, plain = train(None, **settings)
    for name in ('loss_mix_block', 'loss_mask_area'):
        assert logged[name] == plain[name] and any(plain[name]), name
    assert logged['loss_mix'] == pytest.approx([0.1 * loss for loss in plain['loss_mix']])
    assert logged['loss_cls'] == pytest.approx([0.1 * loss for loss in plain['loss']])


@pytest.fixture
def divergence_of_twins(train, student, tmp_path):
    """What KD says in each step of a student with its teacher's weights, whatever else it does."""

    def measure(kind, hooks=(), train_loader=None, **settings):
        options = dict(model=student(kind, **settings), hooks=hooks, train=train_loader)
        runner, _ = train(None, **options)
        state = runner.model.state_dict()
        state['head.fc.weight'] *= 100  # first weights say the same of all images
        checkpoint = str(tmp_path / 'twin.pth')
        torch.save(dict(state_dict=state), checkpoint)
        config = student('ImageClassifier')
        teacher = dict(config=config, checkpoint=checkpoint, channel_order='rgb')
        hook = dict(preset='kd', teacher=teacher)
        return train(hook, load_from=checkpoint, **options, **STILL)[1]['loss_kd']

    return measure


def test_heads_are_about_what_they_say(divergence_of_twins, automix, monkeypatch):
    none = pytest.approx([0.0] * 3, abs=1e-5)
    assert divergence_of_twins('ImageClassifier') == none
    assert divergence_of_twins('AutoMixClassifier', **automix) == none
    assert divergence_of_twins('AugMixClassifier', train_loader=VIEWS['train']) == none
    # what the refusal is for
    monkeypatch.setattr(ManifoldMixup, 'head_use', HeadUse())
    layers = ['backbone.conv']
    assert min(divergence_of_twins('ManifoldMixup', layers=layers)) > 0.01
