# SuperMix Table 1, CIFAR-100, Shake-Shake 26 2x96d, "RA": 85.6 top-1. 1 GPU x 128.
# Ours: N = 2, M = 14, RandAugment's for WRN-28-10; it has no Shake-Shake on CIFAR-100. The rest:
# see schedules/shakeshake_1800e.py and datasets/cifar100_randaugment.py.
_base_ = [
    '../_base_/models/shakeshake26_2x96d_cifar100.py',
    '../_base_/datasets/cifar100_randaugment.py',
    '../_base_/schedules/shakeshake_1800e.py',
    '../_base_/default_runtime.py',
]
