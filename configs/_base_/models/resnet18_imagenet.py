# ResNet-18 for ImageNet, as torchvision has it
# Used in: SuperMix Table 5
_base_ = '../linear_classifier.py'
model = dict(backbone=dict(type='ResNet', depth=18), head=dict(num_classes=1000, in_channels=512))
