# WRN-16-1 on 10,000 images of Fashion-MNIST, padded to 32x32, in three channels. The teacher of
# the SuperMix benchmark in docs/costs.md, and of the shipped modules in docs/weights.md.
_base_ = [
    '../_base_/models/wrn16_fashionmnist.py',
    '../_base_/datasets/fashionmnist32.py',
    '../_base_/schedules/fashionmnist_mini_15e.py',
    '../_base_/default_runtime.py',
]
model = dict(backbone=dict(in_channels=3))
train_dataloader = dict(dataset=dict(indices=10000))
