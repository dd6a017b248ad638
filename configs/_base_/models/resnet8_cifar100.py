# ResNet-8: 83,892 parameters
_base_ = 'resnet20_cifar100.py'
model = dict(backbone=dict(depth=8))
