"""What can't be distilled is told before the student makes a step."""

import re

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmpretrain.registry import MODELS
from torch import nn

from mmtmix.engine import DistillHook
from mmtmix.engine.distillation import Student

pytestmark = pytest.mark.host

KD = dict(type='KDLoss')
AUGMENT = dict(augment=dict(type='SampleMixup'))


def loader(loader_settings=None, **dataset):
    dataset = dict(dict(type='Noise', size=5), **dataset)
    return dict(dataloader=dict(loader_settings or {}, dataset=dataset))


@pytest.mark.parametrize(
    ('settings', 'said'),
    [
        ({}, 'nothing to distill; give a preset, losses or mixed'),
        (dict(losses=[]), 'nothing to distill'),
        (dict(preset='kdd'), "preset must be one of .*'kd', 'ce_mixed', .*, got 'kdd'"),
        (dict(preset='kd_mixed'), "preset='kd_mixed' learns from mixed images; give mixed="),
        (dict(preset='ce_mixed'), "preset='ce_mixed' learns from mixed images; give mixed="),
        (dict(preset='kd', mixed=AUGMENT), "preset='kd' uses no mixed images, but mixed is given"),
        (dict(preset='crd', mixed=AUGMENT), "preset='crd' uses no mixed images"),
        (dict(preset='kd', kd_on='mixed'), "kd_on='mixed' needs mixed images; give mixed="),
        (dict(losses=[KD], kd_on='both'), "kd_on='both' needs mixed images; give mixed="),
        (dict(preset='kd', kd_on='all'), r"kd_on must be one of .*'both'.*, got 'all'"),
        (
            dict(preset='kd_mixed', mixed=AUGMENT, mixed_cls='student'),
            r"mixed_cls must be one of .*'mixed', got 'student'",
        ),
        (dict(losses=[KD, KD]), r"each loss can be given once, got \['kd', 'kd'\]"),
        (dict(preset='kd_mixed', mixed={}), r'mixed must be None, dict\(augment=.*; got {}'),
        (dict(preset='kd_mixed', mixed=AUGMENT | loader()), 'mixed must be None, dict.*augment'),
        (dict(preset='kd_mixed', mixed=dict(loader=1)), "mixed has no 'loader'; did you mean"),
        (dict(preset='kd_mixed', mixed='SuperMix'), "mixed must be None, .*got 'SuperMix'"),
        (
            dict(preset='kd_mixed', mixed=loader(dict(sampler=dict(type='DefaultSampler')))),
            "must be an EndlessSampler .*, got {'type': 'DefaultSampler'}; leave it out",
        ),
        (
            dict(
                preset='kd_mixed',
                mixed=loader(dict(sampler=dict(type='EndlessSampler', epoch_size=64))),
            ),
            "without epoch_size, got {.*'epoch_size': 64}; leave it out",
        ),
        (
            dict(preset='kd_mixed', mixed=dict(augment=dict(type='SampleMixup', alpha=0))),
            'alpha must be a finite number > 0',
        ),
    ],
)
def test_arguments_that_dont_fit_together_are_refused_at_once(teacher, settings, said):
    with pytest.raises((TypeError, ValueError), match=said):
        DistillHook(teacher, **settings)


@pytest.mark.parametrize('augment', ['SuperMix', [], {}, ['SuperMix'], dict(alpha=1.0)])
def test_an_augment_must_be_a_config_or_a_list_of_some(teacher, augment):
    said = r'mixed.augment must be a batch augment, dict\(type=.*, got ' + re.escape(repr(augment))
    with pytest.raises(TypeError, match=said):
        DistillHook(teacher, preset='kd_mixed', mixed=dict(augment=augment))


def test_losses_must_be_a_list(teacher):
    with pytest.raises(TypeError, match='losses must be a list of dict'):
        DistillHook(teacher, losses=KD)


def test_two_hooks_are_refused(distill_runner, teacher):
    second = dict(type='DistillHook', teacher=teacher, preset='kd')
    with pytest.raises(ValueError, match='there are several DistillHooks; give one all'):
        distill_runner(dict(preset='kd'), hooks=(second,)).train()


def test_mixed_targets_of_other_classes_are_refused(distill_runner):
    offline = dict(dataloader=dict(dataset=dict(type='OneMoreClass', size=5)))
    hook = dict(preset='kd_mixed', mixed=offline, mixed_cls='mixed')
    with pytest.raises(ValueError, match='mixed.dataloader: OneMoreClass.* gives the label 4'):
        distill_runner(hook).train()


def test_several_labels_an_image_are_refused(student_config):
    model = MODELS.build(dict(student_config(), _scope_='mmpretrain'))
    head = dict(type='MultiLabelLinearClsHead', num_classes=4, in_channels=8)
    model.head = MODELS.build(dict(head, _scope_='mmpretrain'))
    with pytest.raises(ValueError, match='MultiLabelLinearClsHead has several labels per image'):
        Student(model)


def test_an_endless_sampler_may_be_given(teacher):
    sampler = dict(type='EndlessSampler', shuffle=False)
    DistillHook(teacher, preset='kd_mixed', mixed=loader(dict(sampler=sampler)))


@pytest.fixture
def refuse(distill_runner):
    """Run until an error, and see that nothing was learned."""

    def check(hook, error, said, **options):
        runner = distill_runner(hook, **options)
        before = {name: value.clone() for name, value in runner.model.state_dict().items()}
        with pytest.raises(error, match=said):
            runner.train()
        assert runner.iter == 0
        for name, value in runner.model.state_dict().items():
            is_head = name.startswith('head')  # which is initialised when training begins
            assert is_head or torch.equal(value, before[name])

    return check


def test_mixed_images_in_another_order_of_channels(refuse):
    swapped = [dict(type='NumpyToPIL', to_rgb=True), dict(type='PackInputs')]
    loader = dict(dataset=dict(type='Noise', size=5, pipeline=swapped))
    hook = dict(preset='ce_mixed', mixed=dict(dataloader=loader))
    refuse(hook, ValueError, 'another order of colour channels .*bgr instead of rgb')


def test_a_teacher_of_other_classes(refuse, teacher_args):
    hook = dict(preset='kd', teacher=teacher_args(num_classes=7))
    refuse(hook, ValueError, 'the student has 4 classes and the teacher 7')


def test_a_teacher_that_is_not_there(refuse, teacher, tmp_path):
    hook = dict(preset='kd', teacher=dict(teacher, checkpoint=str(tmp_path / 'none.pth')))
    refuse(hook, FileNotFoundError, "the teacher's .*none.pth.*train it first")


def test_a_mixers_teacher_that_is_not_there(refuse, teacher, tmp_path):
    missing = dict(teacher, checkpoint=str(tmp_path / 'none.pth'))
    mixed = dict(augment=dict(type='SuperMix', teacher=missing))
    refuse(dict(preset='kd_mixed', mixed=mixed), FileNotFoundError, "the teacher's .*none.pth")


def test_half_a_teacher():
    with pytest.raises(ValueError, match='teacher has no checkpoint'):
        DistillHook(dict(config='x'), preset='kd')


@pytest.mark.parametrize('num_workers', [0, 1])
def test_mixed_images_of_another_size(refuse, num_workers):
    mixed = loader(dict(num_workers=num_workers), side=12)
    said = re.escape('mixed images of Noise have shape (3, 12, 12)') + r'.*training images \(3, 16'
    refuse(dict(preset='kd_mixed', mixed=mixed), ValueError, said)


def test_mixed_images_without_labels_where_they_are_asked_for(refuse):
    hook = dict(preset='ce_mixed', mixed=loader(labelled=False), mixed_cls='mixed')
    refuse(
        hook, ValueError, "no labels .*classify mixed images by the teacher: mixed_cls='hard_teach"
    )


def test_crd_on_a_data_set_whose_numbers_are_not_unique(refuse, crd):
    dataset = dict(type='ConcatDataset', datasets=[dict(type='Noise'), dict(type='Noise')])
    said = 'sample_idx, which is not unique .* in a ConcatDataset; train on one data set'
    refuse(dict(losses=[crd]), ValueError, said, train=dict(dataset=dataset))


def test_crd_without_the_images_numbers(refuse, crd):
    dataset = dict(type='Noise', pipeline=[dict(type='PackInputs', meta_keys=())])
    said = 'have no sample_idx, .*meta_keys of PackInputs'
    refuse(dict(losses=[crd]), ValueError, said, train=dict(dataset=dataset))


def test_crd_with_several_optimizers(refuse, crd):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    wrappers = OptimWrapperDict(backbone=OptimWrapper(optimizer))
    said = 'needs one optimizer, and this run has OptimWrapperDict; .* such as KDLoss'
    refuse(dict(losses=[crd]), TypeError, said, optim_wrapper=wrappers)


@MODELS.register_module(force=True)
class PlainHead(nn.Module):
    """What DistillHook needs of a head and no more, or even less."""

    def __init__(self, as_tuple):
        super().__init__()
        self.fc, self.as_tuple = nn.Linear(8, 4), as_tuple
        self.loss_module = nn.Identity()

    def forward(self, features):
        logits = self.fc(features[-1])
        return (logits, logits) if self.as_tuple else logits

    def loss(self, features, data_samples):
        logits = self(features)
        return dict(loss=(logits[0] if self.as_tuple else logits).mean())


def test_students_that_cant_be_captured(refuse, crd, student_config):
    model = student_config()
    model['head'] = dict(type='PlainHead', as_tuple=False)
    said = 'PlainHead of the student has no pre_logits, .* such as KDLoss'
    refuse(dict(losses=[crd]), ValueError, said, model=dict(model))
    model['head'] = dict(type='PlainHead', as_tuple=True)
    said = 'PlainHead gives tuple and no tensor of logits; .* a head with one output'
    refuse(dict(preset='kd'), TypeError, said, model=dict(model))
    del model['head']
    said = 'needs a classifier with a head .*; this is a ImageClassifier with ImageClassifier'
    refuse(dict(preset='kd'), ValueError, said, model=model)


def test_online_mixing_for_a_head_without_a_number_of_classes(refuse, student_config):
    model = student_config()
    model['head'] = dict(type='ClsHead')
    said = 'mixing online needs a student whose head has num_classes'
    refuse(dict(preset='ce_mixed', mixed=AUGMENT), ValueError, said, model=model)


def test_a_checkpoint_without_what_crd_learned_is_not_resumed(distill_runner, crd):
    distill_runner(dict(preset='kd')).train()
    runner = distill_runner(dict(losses=[KD, crd]), epochs=2, resume=True)
    with pytest.raises(ValueError, match='not made with KDLoss, CRDLoss.*start anew, with load_f'):
        runner.train()


def test_a_loss_that_passes_the_head_by_is_told(student_config):
    student = Student(MODELS.build(dict(student_config(), _scope_='mmpretrain')))
    with pytest.raises(RuntimeError, match='ImageClassifier ran without calling its Linear'):
        student.take()
