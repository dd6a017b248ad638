# WRN-16-2: 703,284 parameters
# Used in: SuperMix Table 2, Figure 5
_base_ = '../linear_classifier.py'
model = dict(
    backbone=dict(type='WideResNet', depth=16, widen_factor=2),
    head=dict(in_channels=128, init_cfg=None),
)
