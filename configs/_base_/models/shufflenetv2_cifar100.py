# ShuffleNetV2 1x: 1,355,528 parameters
# Used in: SuperMix Table 3
model = dict(
    type='ImageClassifier',
    backbone=dict(type='CifarShuffleNetV2', widen_factor=1.0),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100, in_channels=1024, init_cfg=None),
)
