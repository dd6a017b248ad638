# SuperMix Table 1, CIFAR-100, WRN-28-10, "MixUp": 82.1 top-1. 1 GPU x 128. The network and recipe
# are SuperMix's; TransformMix's WRN-28-10, PuzzleMix's, is wrn28_cifar100.py.
# Ours: alpha 1, as in Mixup's paper on CIFAR. Recipe: see schedules/supermix_600e.py.
_base_ = '../simple/wrn28_10_cifar100_supermix.py'

model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=1.0)))
