# SmoothMix at the budget of transformmix/wrn16_fashionmnist_mini
_base_ = '../simple/wrn16_fashionmnist_mini.py'
model = dict(train_cfg=dict(augments=dict(type='SmoothMix')))
