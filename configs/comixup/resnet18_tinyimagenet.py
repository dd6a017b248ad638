# TransformMix Table 9, Tiny-ImageNet, ResNet-18, AutoMix protocol, "Co-Mixup": 65.92 top-1 (from
# AutoMix; the median over the last 10 epochs there). 1 GPU x 100.
# Ours: the mixer's defaults, those of Co-Mixup's own code on Tiny-ImageNet.
_base_ = '../simple/resnet18_tinyimagenet.py'
model = dict(train_cfg=dict(augments=dict(type='CoMixup', alpha=2.0)))
custom_hooks = [dict(type='LiveModelHook')]
