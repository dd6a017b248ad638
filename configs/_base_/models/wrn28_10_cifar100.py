# WRN-28-10 without convolution biases: 36,536,884 parameters
# Used in: SuperMix Table 1
model = dict(
    type='ImageClassifier',
    backbone=dict(type='WideResNet', depth=28, widen_factor=10),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100, in_channels=640, init_cfg=None),
)
