# SuperMix Tables 2 and 3, the teacher ResNet-32x4: 79.42 top-1. 1 GPU x 64, CRD's 240 epochs.
# The papers' own is `--arch resnet32x4` of CRD's zoo: converted to this run's last.pth it is used
# instead, see README.md.
_base_ = [
    '../_base_/models/resnet32x4_cifar100.py',
    '../_base_/datasets/cifar100_supermix.py',
    '../_base_/schedules/distill_cifar100.py',
    '../_base_/default_runtime.py',
]
