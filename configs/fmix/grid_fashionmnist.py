# FMix in the grid of docs/evidence.md
_base_ = '../simple/grid_fashionmnist.py'
model = dict(train_cfg=dict(augments=dict(type='FMix')))
