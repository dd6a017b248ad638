# ResNet-44: 667,188 parameters
_base_ = 'resnet20_cifar100.py'
model = dict(backbone=dict(depth=44))
