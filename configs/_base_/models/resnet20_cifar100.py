# ResNet-20: 278,324 parameters
# Used in: SuperMix Table 2
model = dict(
    type='ImageClassifier',
    backbone=dict(type='CifarResNet', depth=20),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100, in_channels=64, init_cfg=None),
)
