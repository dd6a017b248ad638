# ResNet-32x4, four times as wide: 7,433,860 parameters
# Used in: SuperMix Tables 2, 3
_base_ = '../linear_classifier.py'
model = dict(
    backbone=dict(type='CifarResNet', depth=32, width=4), head=dict(in_channels=256, init_cfg=None)
)
