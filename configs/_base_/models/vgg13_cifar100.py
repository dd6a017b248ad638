# VGG-13: 9,462,180 parameters
_base_ = 'vgg8_cifar100.py'
model = dict(backbone=dict(depth=13))
