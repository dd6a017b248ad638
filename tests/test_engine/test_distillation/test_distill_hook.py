"""DistillHook in real runs: which terms there are, and what they are made of."""

import pytest
import torch
import torch.nn.functional as F

from mmtmix.engine.distillation import PRESETS
from mmtmix.models import CRDLoss

pytestmark = pytest.mark.host

MIXUP = dict(augment=dict(type='SampleMixup'))
OFFLINE = dict(dataloader=dict(dataset=dict(type='Noise', size=5, seed=2)))
TERMS = {
    'kd': {'cls', 'kd'},
    'ce_mixed': {'cls', 'mixed'},
    'kd_mixed': {'cls', 'kd', 'mixed'},
    'crd': {'cls', 'crd'},
    'crd_kd': {'cls', 'crd', 'kd'},
}


def losses_of(logged):
    return {name.removeprefix('loss_') for name in logged if name.startswith('loss_')}


def test_every_preset_is_tried_below():
    assert TERMS.keys() == PRESETS.keys()


@pytest.mark.parametrize('preset', TERMS)
def test_every_preset_trains_the_student_alone_and_logs_its_terms(
    distill_runner, distill_hook, scalars, same, preset
):
    settings = dict(preset=preset, mixed=MIXUP if PRESETS[preset]['mixes'] else None)
    runner = distill_runner(settings, epochs=2)
    runner.train()
    logged = scalars(runner)
    assert losses_of(logged) == TERMS[preset]
    assert len(logged['loss']) == 6
    steps = zip(*(logged[f'loss_{name}'] for name in TERMS[preset]), strict=True)
    assert logged['loss'] == pytest.approx([sum(terms) for terms in steps], rel=1e-5)
    teacher = distill_hook(runner).objective.teacher.model
    assert same(runner.seen.frozen, teacher.state_dict())
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert not any(module.training for module in teacher.modules())
    assert not same(runner.seen.first, runner.model.state_dict())


@pytest.mark.parametrize(
    ('kd_on', 'terms'), [('clean', {'kd'}), ('mixed', {'kd_mixed'}), ('both', {'kd', 'kd_mixed'})]
)
def test_kd_compares_where_it_is_told_to(distill_runner, scalars, kd_on, terms):
    runner = distill_runner(dict(preset='kd_mixed', mixed=OFFLINE, kd_on=kd_on))
    runner.train()
    assert losses_of(scalars(runner)) == {'cls', 'mixed'} | terms


def test_crd_stays_on_clean_images_while_kd_is_on_mixed_ones(distill_runner, scalars, crd):
    losses = [dict(type='KDLoss'), crd]
    runner = distill_runner(dict(losses=losses, mixed=MIXUP, kd_on='mixed'))
    runner.train()
    assert losses_of(scalars(runner)) == {'cls', 'mixed', 'kd_mixed', 'crd'}


def divergence(student, teacher, temperature):
    student, teacher = ((side / temperature).softmax(dim=1) for side in (student, teacher))
    return temperature**2 * (teacher * (teacher / student).log()).sum() / len(student)


def entropy(logits, targets):
    return -(targets * logits.log_softmax(dim=1)).sum() / len(logits)


@pytest.mark.parametrize(
    ('preset', 'mixed_cls', 'weights'),
    [
        ('kd', 'hard_teacher', dict(cls=0.1, kd=0.9)),
        ('ce_mixed', 'hard_teacher', dict(cls=2.0, mixed=2.0)),
        ('ce_mixed', 'mixed', dict(cls=2.0, mixed=2.0)),
        ('kd_mixed', 'hard_teacher', dict(cls=1.8, mixed=1.8, kd=0.2, kd_mixed=0.2)),
        ('kd_mixed', 'target', dict(cls=1.8, mixed=1.8, kd=0.2, kd_mixed=0.2)),
    ],
)
def test_terms_of_a_batch_have_the_presets_weights(
    distill_runner, distill_hook, scalars, preset, mixed_cls, weights
):
    mixed = preset != 'kd'
    settings = dict(preset=preset, mixed=OFFLINE if mixed else None, mixed_cls=mixed_cls)
    settings['kd_on'] = 'both' if mixed else 'clean'
    # nothing moves, so the student at the end is the student of the batch
    runner = distill_runner(settings, optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.0)))
    runner.train()
    model, hook = runner.model, distill_hook(runner)
    clean, *others = runner.seen.student[: 1 + mixed]
    answers = [hook.objective.teacher(images) for images in (clean, *others)]
    logits = [model(images, mode='tensor').detach() for images in (clean, *others)]
    dataset = runner.train_dataloader.dataset
    labels = torch.tensor([label_of(image, dataset) for image in clean])
    expected = dict(
        cls=entropy(logits[0], F.one_hot(labels, 4)), kd=divergence(logits[0], answers[0], 4)
    )
    if mixed:
        if mixed_cls == 'hard_teacher':
            targets = answers[1].argmax(dim=1)
        else:
            dataset = hook.mixes.loader.dataset
            targets = torch.tensor([label_of(image, dataset) for image in others[0]])
        expected['mixed'] = entropy(logits[1], F.one_hot(targets, 4))
        expected['kd_mixed'] = divergence(logits[1], answers[1], 4)
    logged = scalars(runner)
    assert losses_of(logged) - weights.keys() == set()
    for name in losses_of(logged):
        value = weights[name] * expected[name].item()
        assert logged[f'loss_{name}'][0] == pytest.approx(value, rel=1e-4), name


def label_of(image, dataset):
    """Find a normalised image in a data set of Noise."""
    for sample in dataset:
        raw = sample['inputs'].float()
        if torch.allclose(restored(image), raw, atol=1e-3):
            return sample['data_samples'].gt_label.item()
    raise LookupError('no such image')


def restored(image):
    mean, std = torch.tensor([120.0, 123.0, 126.0]), torch.tensor([60.0, 62.0, 64.0])
    return image * std[:, None, None] + mean[:, None, None]


def test_mixed_images_need_no_labels_where_the_teacher_classifies_them(distill_runner, scalars):
    mixed = dict(dataloader=dict(dataset=dict(type='Noise', labelled=False)))
    runner = distill_runner(dict(preset='kd_mixed', mixed=mixed))
    runner.train()
    assert losses_of(scalars(runner)) == {'cls', 'mixed', 'kd'}


def test_crds_weight_is_the_presets(distill_runner, scalars):
    logged = []
    for settings in (dict(preset='crd'), dict(losses=[dict(type='CRDLoss', loss_weight=1.0)])):
        runner = distill_runner(settings)
        runner.train()
        logged.append(scalars(runner))
    assert logged[0]['loss_crd'][0] == pytest.approx(0.8 * logged[1]['loss_crd'][0])
    assert logged[0]['loss_cls'][0] == logged[1]['loss_cls'][0]


def test_every_step_draws_by_a_seed_of_its_own_that_repeats(distill_runner, monkeypatch, crd):
    seeds, draw = [], CRDLoss._draw_negatives
    monkeypatch.setattr(
        CRDLoss, '_draw_negatives', lambda *args: seeds.append(args[-1]) or draw(*args)
    )
    for seed in (0, 0, 1):
        distill_runner(dict(losses=[crd]), randomness=dict(seed=seed)).train()
    assert seeds[:3] == seeds[3:6]
    assert len(set(seeds)) == 6


def test_settings_go_before_the_presets(distill_runner, scalars):
    kd = dict(type='KDLoss', loss_weight=0.0)
    runner = distill_runner(dict(preset='crd_kd', losses=[kd], cls_weight=0.0))
    runner.train()
    logged = scalars(runner)
    assert losses_of(logged) == {'cls', 'kd'}
    assert not any(logged['loss'])


def test_accuracy_of_a_head_stays_in_the_log_as_it_is(distill_runner, scalars, student_config):
    model = student_config()
    model['head'].update(cal_acc=True)
    runner = distill_runner(dict(preset='kd'), model=model)
    runner.train()
    assert set(scalars(runner)['accuracy_top-1']) <= {0.0, 25.0, 50.0, 75.0, 100.0}
