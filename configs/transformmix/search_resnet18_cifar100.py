# TransformMix's searches for Figure 7, section 4.1: 100 epochs, batch 128. The points are
# `MASK_LAYERS` (7a: 2, 3, 4), `MASK_CHANNELS` (7b: 8, 16, 32, 64), `MASK_KERNEL` (7c: 3, 5, 7),
# `ALPHA` (7d: 0.2, 0.5, 1, 2, 3, 4). 1 GPU x 128.
# Ours: momentum 0.9, which the paper doesn't state; a validation every 10 epochs.
_base_ = './search_wrn28_cifar100.py'

from mmtmix.recipes import stage, teacher_from, variant

teacher = stage('configs/simple/resnet18_cifar100.py', 'last.pth')
requires = [teacher]

model = dict(
    teacher=teacher_from(teacher),
    mixer=dict(
        num_layers=variant('MASK_LAYERS', 3, 2, 4),
        channels=variant('MASK_CHANNELS', 32, 8, 16, 64),
        kernel_size=variant('MASK_KERNEL', 3, 5, 7),
    ),
    alpha=float(variant('ALPHA', 1, 0.2, 0.5, 2, 3, 4)),
)
