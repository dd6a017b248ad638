# WRN-40-2: 2,255,156 parameters
# Used in: TransformMix Table 10; SuperMix Tables 1, 2, 3
_base_ = 'wrn16_2_cifar100.py'
model = dict(backbone=dict(depth=40))
