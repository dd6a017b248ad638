# SuperMix Table 1, CIFAR-100, WRN-40-2, "MixUp": 77.2 top-1. 1 GPU x 128.
# Ours: alpha 1, as in Mixup's paper on CIFAR. Recipe: see schedules/supermix_600e.py.
_base_ = '../simple/wrn40_2_cifar100.py'

model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=1.0)))
