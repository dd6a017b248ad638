# ResNet-50 with a 3x3 stem: 23,705,252 parameters
# Used in: SuperMix Table 3
_base_ = '../linear_classifier.py'
model = dict(
    backbone=dict(type='ResNet_CIFAR', depth=50, zero_init_residual=False),
    head=dict(in_channels=2048, init_cfg=None),
)
