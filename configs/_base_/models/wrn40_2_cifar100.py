# WRN-40-2: 2,255,156 parameters
_base_ = 'wrn16_2_cifar100.py'
model = dict(backbone=dict(depth=40))
