# SuperMix Table 2, the teacher ResNet-110: 74.31 top-1. 1 GPU x 64, CRD's 240 epochs.
# The papers' own is `--arch resnet110` of CRD's zoo: converted to this run's last.pth it is used
# instead, see README.md.
_base_ = [
    '../_base_/models/resnet110_cifar100.py',
    '../_base_/datasets/cifar100_supermix.py',
    '../_base_/schedules/distill_cifar100.py',
    '../_base_/default_runtime.py',
]
