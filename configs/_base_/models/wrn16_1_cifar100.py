# WRN-16-1: 180,916 parameters
_base_ = '../linear_classifier.py'
model = dict(
    backbone=dict(type='WideResNet', depth=16, widen_factor=1),
    head=dict(in_channels=64, init_cfg=None),
)
