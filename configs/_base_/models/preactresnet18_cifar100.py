# PreActResNet-18 as PuzzleMix has it: 11,217,316 parameters
# Used in: TransformMix Table 2
_base_ = '../linear_classifier.py'
model = dict(
    backbone=dict(type='PreActResNet', depth=18), head=dict(in_channels=512, init_cfg=None)
)
