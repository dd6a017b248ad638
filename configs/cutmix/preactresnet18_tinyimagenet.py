# TransformMix Tables 2, 7 and 8, Tiny-ImageNet, PreActResNet-18, "CutMix": 56.67 / 75.52 top-1 /
# top-5. 1 GPU x 100.
_base_ = '../simple/preactresnet18_tinyimagenet.py'
model = dict(train_cfg=dict(augments=dict(type='CutMix', alpha=0.2)))
