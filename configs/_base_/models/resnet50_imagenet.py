# ResNet-50 for ImageNet, as torchvision has it
# Used in: TransformMix Tables 2, 3; SuperMix Table 1
_base_ = '../linear_classifier.py'
model = dict(backbone=dict(type='ResNet', depth=50), head=dict(num_classes=1000, in_channels=2048))
