# WRN-16-1 without mixing on 3,000 images of Glyphs. The test images have a drawing style that no
# training image has.
_base_ = [
    '../_base_/models/wrn16_1_cifar100.py',
    '../_base_/datasets/glyphs.py',
    '../_base_/schedules/glyphs_16e.py',
    '../_base_/default_runtime.py',
]
