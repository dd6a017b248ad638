# ResNet-14: 181,108 parameters
_base_ = 'resnet20_cifar100.py'
model = dict(backbone=dict(depth=14))
