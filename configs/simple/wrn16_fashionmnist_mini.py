# WRN-16-1 without mixing on 5,000 images of Fashion-MNIST; the teacher of
# transformmix/wrn16_fashionmnist_mini
_base_ = [
    '../_base_/models/wrn16_fashionmnist.py',
    '../_base_/datasets/fashionmnist_mini.py',
    '../_base_/schedules/fashionmnist_mini_15e.py',
    '../_base_/default_runtime.py',
]
