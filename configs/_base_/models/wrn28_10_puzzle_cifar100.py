# WRN-28-10 as PuzzleMix has it, which TransformMix's Table 2 follows: 36,546,980 parameters
# Used in: TransformMix Tables 2, 4, 6, 8
model = dict(
    type='ImageClassifier',
    backbone=dict(type='WideResNet', depth=28, widen_factor=10, layout='puzzle'),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100, in_channels=640),
)
