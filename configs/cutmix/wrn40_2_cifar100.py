# SuperMix Table 1, CIFAR-100, WRN-40-2, "CutMix": 77.9 top-1. 1 GPU x 128.
# Ours: alpha 1 and every second batch (by chance), as in CutMix's paper on CIFAR. Recipe: see
# schedules/supermix_600e.py.
_base_ = '../simple/wrn40_2_cifar100.py'

model = dict(train_cfg=dict(augments=dict(type='CutMix', alpha=1.0), probs=0.5))
