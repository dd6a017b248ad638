# VGG-13: 9,462,180 parameters
# Used in: SuperMix Tables 2, 3, 4
_base_ = 'vgg8_cifar100.py'
model = dict(backbone=dict(depth=13))
