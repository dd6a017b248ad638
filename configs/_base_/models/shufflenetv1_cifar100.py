# ShuffleNetV1 with 3 groups: 949,258 parameters
# Used in: TransformMix Table 10; SuperMix Table 3
model = dict(
    type='ImageClassifier',
    backbone=dict(type='CifarShuffleNetV1'),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100, in_channels=960, init_cfg=None),
)
