# SuperMix Table 1, CIFAR-100, Shake-Shake 26 2x96d, "Base.": 82.9 top-1. 1 GPU x 128. It is also
# the teacher that its own mixed images are made with, see supermix/shakeshake26_2x96d_cifar100.py.
# Ours: see schedules/shakeshake_1800e.py.
_base_ = [
    '../_base_/models/shakeshake26_2x96d_cifar100.py',
    '../_base_/datasets/cifar100_supermix.py',
    '../_base_/schedules/shakeshake_1800e.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(batch_size=128)
