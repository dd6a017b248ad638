# TransformMix Table 9, Tiny-ImageNet, ResNet-18, AutoMix protocol, "PuzzleMix": 65.81 top-1
# (from AutoMix; the median over the last 10 epochs there). 1 GPU x 100.
# The settings are the mixer's defaults, as there; shares a sample.
_base_ = '../simple/resnet18_tinyimagenet.py'
model = dict(train_cfg=dict(augments=dict(type='PuzzleMix', alpha=1.0)))
custom_hooks = [dict(type='LiveModelHook')]
