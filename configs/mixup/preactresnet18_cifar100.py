# TransformMix Table 2, CIFAR-100, PreActResNet-18, "Mixup": 76.84 / 92.42 top-1 / top-5 (from
# PuzzleMix's paper; the median over the last 10 epochs there). 1 GPU x 100.
_base_ = '../simple/preactresnet18_cifar100.py'
model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=1.0)))
