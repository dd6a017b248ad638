# TransformMix's search on CIFAR-10 for Tables 4 and 6, section 4.1: 100 epochs, batch 128, with
# the ResNet-18 without mixing (95.28) as the teacher. 1 GPU x 128.
# Ours: momentum 0.9, which the paper doesn't state; a validation every 10 epochs.
_base_ = [
    '../_base_/datasets/cifar10_puzzle.py',
    '../_base_/mixers/transformmix_paper.py',
    '../_base_/schedules/search_100e.py',
    '../_base_/default_runtime.py',
]

from mmtmix.recipes import stage, teacher_from

teacher = stage('configs/simple/resnet18_cifar10.py', 'last.pth')
requires = [teacher]
model = dict(teacher=teacher_from(teacher), mixer=dict(cam_size=32))
train_dataloader = dict(batch_size=128, drop_last=True)
val_evaluator = dict(_delete_=True, type='MixQuality')
test_evaluator = val_evaluator
