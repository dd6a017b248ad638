# TransformMix Table 2, Tiny-ImageNet, PreActResNet-18, "PuzzleMix": 63.48 / 81.05 top-1 / top-5.
# 1 GPU x 100.
# The settings are the mixer's defaults. Ours: shares a sample, where its code draws one a batch.
_base_ = '../simple/preactresnet18_tinyimagenet.py'
model = dict(train_cfg=dict(augments=dict(type='PuzzleMix', alpha=1.0)))
custom_hooks = [dict(type='LiveModelHook')]
