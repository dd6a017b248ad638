# WRN-16-2: 703,284 parameters
# Used in: SuperMix Table 2, Figure 5
model = dict(
    type='ImageClassifier',
    backbone=dict(type='WideResNet', depth=16, widen_factor=2),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100, in_channels=128, init_cfg=None),
)
