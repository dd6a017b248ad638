# Co-Mixup at the budget of transformmix/wrn16_fashionmnist_mini; needs PyMaxflow
_base_ = '../simple/wrn16_fashionmnist_mini.py'
model = dict(train_cfg=dict(augments=dict(type='CoMixup')))
custom_hooks = [dict(type='LiveModelHook')]
