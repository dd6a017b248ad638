# VGG-19: 20,086,692 parameters
_base_ = 'vgg8_cifar100.py'
model = dict(backbone=dict(depth=19))
