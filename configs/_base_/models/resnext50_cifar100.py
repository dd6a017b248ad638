# ResNeXt-50 (32x4d) with a 3x3 stem of stride 1 and no pooling after it
# It is for configs/mixbench.
_base_ = '../linear_classifier.py'
model = dict(backbone=dict(type='CifarResNeXt', depth=50), head=dict(in_channels=2048))
