# VGG-8: 3,965,028 parameters
# Used in: SuperMix Tables 2, 3
model = dict(
    type='ImageClassifier',
    backbone=dict(type='CifarVGG', depth=8),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100, in_channels=512),
)
