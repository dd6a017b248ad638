# WRN-40-1: 569,780 parameters
# Used in: SuperMix Table 2
_base_ = 'wrn16_1_cifar100.py'
model = dict(backbone=dict(depth=40))
