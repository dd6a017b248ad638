# PreActResNet-18 as PuzzleMix has it: 11,217,316 parameters
# Used in: TransformMix Table 2
model = dict(
    type='ImageClassifier',
    backbone=dict(type='PreActResNet', depth=18),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100, in_channels=512, init_cfg=None),
)
