# SuperMix Table 1, CIFAR-100, WRN-40-2, "RA": 79.2 top-1. 1 GPU x 128.
# Ours: N = 1, M = 2, RandAugment's for the WRN of this width (28-2); it has no WRN-40-2. The rest:
# see schedules/supermix_600e.py and datasets/cifar100_randaugment.py.
_base_ = [
    '../_base_/models/wrn40_2_cifar100.py',
    '../_base_/datasets/cifar100_randaugment.py',
    '../_base_/schedules/supermix_600e.py',
    '../_base_/default_runtime.py',
]

train_pipeline = _base_.train_pipeline
train_pipeline[2].update(num_policies=1, magnitude_level=2)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
