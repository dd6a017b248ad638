# SuperMix Table 1, CIFAR-100, Shake-Shake 26 2x96d, "AA": 85.7 top-1. 1 GPU x 128.
# Ours: see schedules/shakeshake_1800e.py and datasets/cifar100_autoaugment.py.
_base_ = [
    '../_base_/models/shakeshake26_2x96d_cifar100.py',
    '../_base_/datasets/cifar100_autoaugment.py',
    '../_base_/schedules/shakeshake_1800e.py',
    '../_base_/default_runtime.py',
]
