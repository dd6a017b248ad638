# ResNet-18 with a 3x3 stem of stride 1 and no pooling after it
# Used in: TransformMix Table 9
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet_CIFAR', depth=18),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=200, in_channels=512),
)
