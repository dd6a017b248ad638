# MobileNetV2 of half the width: 812,836 parameters
# Used in: SuperMix Table 3
model = dict(
    type='ImageClassifier',
    backbone=dict(type='CifarMobileNetV2', widen_factor=0.5),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100, in_channels=1280),
)
