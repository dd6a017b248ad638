# ResNet-8x4, four times as wide: 1,233,540 parameters
# Used in: SuperMix Table 2
_base_ = 'resnet32x4_cifar100.py'
model = dict(backbone=dict(depth=8))
