# ResNet-200: 64.7 million parameters
# Used in: SuperMix Table 1
model = dict(
    type='ImageClassifier',
    backbone=dict(type='DeepResNet', depth=200),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=1000, in_channels=2048),
)
