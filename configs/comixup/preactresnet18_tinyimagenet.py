# TransformMix Table 7, Tiny-ImageNet, PreActResNet-18, "Co-Mixup": 64.15 top-1 (from its own
# paper, whose recipe this is). 1 GPU x 100.
# The settings are the mixer's defaults: alpha 2 beside the loss on clean images, groups of 20
# images, 4 cells per side.
_base_ = '../simple/preactresnet18_tinyimagenet.py'
model = dict(train_cfg=dict(augments=dict(type='CoMixup', alpha=2.0)))
custom_hooks = [dict(type='LiveModelHook')]
