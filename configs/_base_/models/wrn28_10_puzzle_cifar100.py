# WRN-28-10 as PuzzleMix has it, which TransformMix's Table 2 follows: 36,546,980 parameters
# Used in: TransformMix Tables 2, 4, 6, 8
_base_ = '../linear_classifier.py'
model = dict(
    backbone=dict(type='WideResNet', depth=28, widen_factor=10, layout='puzzle'),
    head=dict(in_channels=640),
)
