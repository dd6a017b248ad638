# MobileNetV2 of half the width: 812,836 parameters
# Used in: SuperMix Table 3
_base_ = '../linear_classifier.py'
model = dict(backbone=dict(type='CifarMobileNetV2', widen_factor=0.5), head=dict(in_channels=1280))
