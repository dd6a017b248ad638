# VGG-16: 14,774,436 parameters
_base_ = 'vgg8_cifar100.py'
model = dict(backbone=dict(depth=16))
