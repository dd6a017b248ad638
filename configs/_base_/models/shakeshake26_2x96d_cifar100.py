# Shake-Shake 26 2x96d: 26.2 million parameters
# Used in: SuperMix Table 1
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ShakeShake', depth=26, base_channels=96),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=100, in_channels=384, init_cfg=None),
)
