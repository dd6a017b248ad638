"""Recipes of distillation, written out."""

import pytest

from mmtmix.recipes import (
    distill,
    mixed_pipeline_of,
    mixed_set_of,
    mixes_of,
    pair_names,
    search_of,
    student_of,
    teacher_of,
)

FLIP = dict(type='RandomFlip', prob=0.5, direction='horizontal')
TEACHER = dict(config='a.py', produces='work_dirs/a/last.pth')
NAMED = dict(config='a.py', checkpoint='work_dirs/a/last.pth')


def test_runs_of_a_pair_are_named():
    assert teacher_of('vgg13_mobilenetv2') == dict(
        config='configs/distill/teacher_vgg13_cifar100.py',
        produces='work_dirs/distill/teacher_vgg13_cifar100/last.pth',
    )
    assert mixed_set_of('resnet34_resnet18_k3') == dict(
        config='configs/supermix/generate_resnet34_imagenet_k3.py',
        produces='work_dirs/supermix/generate_resnet34_imagenet_k3/dataset.json',
    )
    assert search_of('wrn40_2_wrn40_1') == dict(
        config='configs/transformmix/search_wrn40_2_cifar100.py',
        produces='work_dirs/transformmix/search_wrn40_2_cifar100/mixer.pth',
    )


def test_a_students_recipe_is_written_out():
    clean, mixed = student_of('vgg13_mobilenetv2'), student_of('vgg13_mobilenetv2', mixed=True)
    assert clean['model'] == dict(
        type='ImageClassifier',
        backbone=dict(type='CifarMobileNetV2', widen_factor=0.5),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=100, in_channels=1280),
    )
    sgd = dict(type='SGD', momentum=0.9, weight_decay=5e-4)
    assert clean['optim_wrapper'] == dict(optimizer=dict(sgd, lr=0.01))
    assert mixed['optim_wrapper'] == dict(optimizer=dict(sgd, lr=0.02))
    assert clean['train_cfg'] == dict(by_epoch=True, max_epochs=240, val_interval=1)
    assert mixed['train_cfg'] == dict(by_epoch=True, max_epochs=600, val_interval=1)
    assert clean['param_scheduler']['milestones'] == [150, 180, 210]
    assert mixed['param_scheduler'][0]['end'] == 19_535
    longer = student_of('vgg13_mobilenetv2', mixed=True, warm_up=7)
    assert longer['param_scheduler'][0]['end'] == 7
    # without helper variables of the files that it comes from
    assert not {'mixed_recipe', 'mixed_pipeline', 'train_pipeline'} & set(mixed)


def test_the_small_pair_has_one_recipe():
    small = 'wrn16_wrn10_fashionmnist_mini'
    student = student_of(small)
    assert student == student_of(small, mixed=True)
    assert student['model']['backbone'] == dict(
        type='WideResNet', depth=10, widen_factor=1, in_channels=1
    )
    assert student['auto_scale_lr'] == dict(base_batch_size=128)
    crop = dict(type='RandomCrop', crop_size=28, padding=2)
    assert mixed_pipeline_of(small) == [crop, FLIP, dict(type='PackInputs')]


def test_mixes_of_a_set_are_cropped_less():
    crop = dict(type='RandomCrop', crop_size=32, padding=2)
    assert mixes_of('vgg13_vgg8') == dict(
        type='MixedImages',
        data_root='work_dirs/supermix/generate_vgg13_cifar100',
        pipeline=[crop, FLIP, dict(type='PackInputs')],
    )


def test_the_hook_is_written_out():
    assert distill('kd', TEACHER) == dict(type='DistillHook', preset='kd', teacher=NAMED)
    mix = dict(type='SampleMixup')
    assert distill('ce_mixed', NAMED, augment=mix) == dict(
        type='DistillHook', preset='ce_mixed', teacher=NAMED, mixed=dict(augment=mix)
    )
    images = dict(type='MixedImages')
    hook = distill('kd_mixed', TEACHER, dataset=images)
    assert hook['mixed'] == dict(dataloader=dict(dataset=images))


@pytest.mark.parametrize(
    ('make', 'error', 'words'),
    [
        (
            lambda: teacher_of('vgg13_vgg9'),
            ValueError,
            "pair must be .* did you mean 'vgg13_vgg8'",
        ),
        (lambda: student_of('x'), ValueError, "pair must be one of 'wrn40_2_wrn16_2'"),
        (lambda: student_of('vgg13_vgg8', mixed=1), TypeError, 'mixed must be True or False'),
        (lambda: student_of('vgg13_vgg8', warm_up=9), ValueError, 'leave warm_up out'),
        (lambda: student_of('vgg13_vgg8', True, 0), ValueError, 'warm_up must be an integer'),
        (lambda: search_of('vgg13_vgg8'), ValueError, "pair must be one of 'wrn40_2_shuffle"),
        (lambda: pair_names('cifar'), ValueError, "kind must be one of 'all', 'cifar100'"),
        (lambda: distill('kdd', TEACHER), ValueError, "preset must be one of 'kd'"),
        (lambda: distill('kd', TEACHER, {1: 1}), ValueError, "takes neither .* got .'augment'"),
        (lambda: distill('kd_mixed', TEACHER), ValueError, 'takes either augment or dataset'),
        (lambda: distill('kd', 'last.pth'), TypeError, 'teacher must be an entry of `requires`'),
    ],
)
def test_wrong_arguments_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()
