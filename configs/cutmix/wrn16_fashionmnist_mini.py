# CutMix at the budget of transformmix/wrn16_fashionmnist_mini,
# on every other batch on average, as there
_base_ = '../simple/wrn16_fashionmnist_mini.py'
model = dict(train_cfg=dict(augments=dict(type='CutMix', alpha=1.0), probs=[0.5]))
