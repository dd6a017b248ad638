# WRN-16-1 on 28x28 grey images
_base_ = '../linear_classifier.py'
model = dict(
    backbone=dict(type='WideResNet', depth=16, widen_factor=1, in_channels=1),
    head=dict(num_classes=10, in_channels=64),
)
