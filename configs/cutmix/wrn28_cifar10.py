# TransformMix Table 6, CIFAR-10, WRN-28-10, "CutMix": 97.13 top-1. 1 GPU x 100.
# Ours: alpha 1, as PuzzleMix's recipe has on CIFAR-100.
_base_ = '../simple/wrn28_cifar10.py'
model = dict(train_cfg=dict(augments=dict(type='CutMix', alpha=1.0)))
