# Without mixing, in the grid of docs/evidence.md: `NET` (wrn16_1, wrn16_2, wrn16_4) on the first
# `NUM_IMAGES` images of `DATASET` (fashionmnist, digits, scattered) for `STEPS` steps
_base_ = [
    '../_base_/models/wrn16_fashionmnist.py',
    '../_base_/datasets/grid.py',
    '../_base_/schedules/fashionmnist_grid.py',
    '../_base_/default_runtime.py',
]
from mmtmix.recipes import variant

widths = dict(wrn16_1=1, wrn16_2=2, wrn16_4=4)
width = widths[variant('NET', *widths)]
model = dict(backbone=dict(widen_factor=width), head=dict(in_channels=64 * width))
default_hooks = dict(checkpoint=dict(interval=max(1, _base_.epochs // 4)))
