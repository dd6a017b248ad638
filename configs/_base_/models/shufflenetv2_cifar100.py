# ShuffleNetV2 1x: 1,355,528 parameters
# Used in: SuperMix Table 3
_base_ = '../linear_classifier.py'
model = dict(
    backbone=dict(type='CifarShuffleNetV2', widen_factor=1.0),
    head=dict(in_channels=1024, init_cfg=None),
)
