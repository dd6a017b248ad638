# WRN-28-10 without convolution biases: 36,536,884 parameters
# Used in: SuperMix Table 1
_base_ = '../linear_classifier.py'
model = dict(
    backbone=dict(type='WideResNet', depth=28, widen_factor=10),
    head=dict(in_channels=640, init_cfg=None),
)
