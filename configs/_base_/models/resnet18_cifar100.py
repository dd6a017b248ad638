# ResNet-18 with a 3x3 stem of stride 1 and no pooling after it; for CIFAR-10,
# set head=dict(num_classes=10)
# Used in: TransformMix Tables 4, 6, Figure 7
_base_ = '../linear_classifier.py'
model = dict(backbone=dict(type='ResNet_CIFAR', depth=18), head=dict(in_channels=512))
