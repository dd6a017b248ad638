# TransformMix Tables 2 and 8, CIFAR-100, WRN-28-10, "CutMix": 82.50 / 95.31 top-1 / top-5 (from
# PuzzleMix's paper; the median over the last 10 epochs there). 1 GPU x 100.
_base_ = '../simple/wrn28_cifar100.py'
model = dict(train_cfg=dict(augments=dict(type='CutMix', alpha=1.0)))
