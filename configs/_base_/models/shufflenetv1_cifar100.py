# ShuffleNetV1 with 3 groups: 949,258 parameters
# Used in: TransformMix Table 10; SuperMix Table 3
_base_ = '../linear_classifier.py'
model = dict(backbone=dict(type='CifarShuffleNetV1'), head=dict(in_channels=960, init_cfg=None))
