# Shake-Shake 26 2x96d: 26.2 million parameters
# Used in: SuperMix Table 1
_base_ = '../linear_classifier.py'
model = dict(
    backbone=dict(type='ShakeShake', depth=26, base_channels=96),
    head=dict(in_channels=384, init_cfg=None),
)
