# ResNet-50 for ImageNet, as torchvision has it
# Used in: TransformMix Tables 2, 3; SuperMix Table 1
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=50),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=1000, in_channels=2048),
)
