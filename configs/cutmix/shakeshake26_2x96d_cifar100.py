# SuperMix Table 1, CIFAR-100, Shake-Shake 26 2x96d, "CutMix": 85.0 top-1. 1 GPU x 128.
# Ours: alpha 1 and every second batch (by chance), as in CutMix's paper on CIFAR. Recipe: see
# schedules/shakeshake_1800e.py.
_base_ = '../simple/shakeshake26_2x96d_cifar100.py'

model = dict(train_cfg=dict(augments=dict(type='CutMix', alpha=1.0), probs=0.5))
