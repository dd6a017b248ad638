# ResNet-110: 1,736,564 parameters
# Used in: SuperMix Table 2
_base_ = 'resnet20_cifar100.py'
model = dict(backbone=dict(depth=110))
