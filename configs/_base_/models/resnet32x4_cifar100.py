# ResNet-32x4, four times as wide: 7,433,860 parameters
# Used in: SuperMix Tables 2, 3
model = dict(
    type='ImageClassifier',
    backbone=dict(type='CifarResNet', depth=32, width=4),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100, in_channels=256, init_cfg=None),
)
