# ResNet-56: 861,620 parameters
_base_ = 'resnet20_cifar100.py'
model = dict(backbone=dict(depth=56))
