# ResNet-50 with a 3x3 stem: 23,705,252 parameters
# Used in: SuperMix Table 3
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet_CIFAR', depth=50, zero_init_residual=False),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100, in_channels=2048, init_cfg=None),
)
