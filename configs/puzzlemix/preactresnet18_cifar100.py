# TransformMix Table 2, CIFAR-100, PreActResNet-18, "PuzzleMix": 80.38 / 94.15 top-1 / top-5
# (from PuzzleMix's paper; the median over the last 10 epochs there). 1 GPU x 100.
# The settings are the mixer's defaults. Ours: weights for each sample, where its code draws one
# for each batch.
_base_ = '../simple/preactresnet18_cifar100.py'
model = dict(train_cfg=dict(augments=dict(type='PuzzleMix', alpha=1.0)))
custom_hooks = [dict(type='LiveModelHook')]
