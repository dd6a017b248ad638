# VGG-11: 9,277,284 parameters
_base_ = 'vgg8_cifar100.py'
model = dict(backbone=dict(depth=11))
