# ResNet-110: 1,736,564 parameters
_base_ = 'resnet20_cifar100.py'
model = dict(backbone=dict(depth=110))
