# ResNet-18 with a 3x3 stem of stride 1 and no pooling after it
# Used in: TransformMix Table 9
_base_ = '../linear_classifier.py'
model = dict(
    backbone=dict(type='ResNet_CIFAR', depth=18), head=dict(num_classes=200, in_channels=512)
)
