# VGG-8: 3,965,028 parameters
# Used in: SuperMix Tables 2, 3
_base_ = '../linear_classifier.py'
model = dict(backbone=dict(type='CifarVGG', depth=8), head=dict(in_channels=512))
