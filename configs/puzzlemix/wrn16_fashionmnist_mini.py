# PuzzleMix at the budget of the TransformMix demo; needs PyMaxflow
_base_ = '../simple/wrn16_fashionmnist_mini.py'
model = dict(train_cfg=dict(augments=dict(type='PuzzleMix')))
custom_hooks = [dict(type='LiveModelHook')]
