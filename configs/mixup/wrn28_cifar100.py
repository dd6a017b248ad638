# TransformMix Tables 2, 4 and 8, CIFAR-100, WRN-28-10, "Mixup": 81.73 / 95.02 top-1 / top-5
# (from PuzzleMix's paper; the median over the last 10 epochs there). 1 GPU x 100.
_base_ = '../simple/wrn28_cifar100.py'
model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=1.0)))
