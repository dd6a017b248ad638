# SuperMix Table 1, CIFAR-100, WRN-40-2, "AA": 79.3 top-1. 1 GPU x 128.
# Ours: see schedules/supermix_600e.py and datasets/cifar100_autoaugment.py.
_base_ = [
    '../_base_/models/wrn40_2_cifar100.py',
    '../_base_/datasets/cifar100_autoaugment.py',
    '../_base_/schedules/supermix_600e.py',
    '../_base_/default_runtime.py',
]
