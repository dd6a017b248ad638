# GridMix at the budget of the TransformMix demo
_base_ = '../simple/wrn16_fashionmnist_mini.py'
model = dict(train_cfg=dict(augments=dict(type='GridMix')))
