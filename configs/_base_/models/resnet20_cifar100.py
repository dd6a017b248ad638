# ResNet-20: 278,324 parameters
# Used in: SuperMix Table 2
_base_ = '../linear_classifier.py'
model = dict(backbone=dict(type='CifarResNet', depth=20), head=dict(in_channels=64, init_cfg=None))
