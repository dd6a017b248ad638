# Without mixing, in the grid of docs/evidence.md, `NET` on `NUM_IMAGES` of Fashion-MNIST for `STEPS`
# steps; also the teacher of the others.
_base_ = [
    '../_base_/models/wrn16_fashionmnist_grid.py',
    '../_base_/datasets/fashionmnist_grid.py',
    '../_base_/schedules/fashionmnist_grid.py',
    '../_base_/default_runtime.py',
]
default_hooks = dict(checkpoint=dict(interval=max(1, _base_.epochs // 4)))
