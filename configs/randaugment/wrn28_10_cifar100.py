# SuperMix Table 1, CIFAR-100, WRN-28-10, "RA": 83.3 top-1. 1 GPU x 128.
# Ours: see schedules/supermix_600e.py and datasets/cifar100_randaugment.py.
_base_ = [
    '../_base_/models/wrn28_10_cifar100.py',
    '../_base_/datasets/cifar100_randaugment.py',
    '../_base_/schedules/supermix_600e.py',
    '../_base_/default_runtime.py',
]
