# WRN-40-1: 569,780 parameters
_base_ = 'wrn16_1_cifar100.py'
model = dict(backbone=dict(depth=40))
