# The demo: WRN-10-1 without mixing on 1,000 images of ten classes of Glyphs, 256 steps; the
# teacher of its search.
_base_ = [
    '../_base_/models/wrn16_1_cifar100.py',
    '../_base_/datasets/glyphs_demo.py',
    '../_base_/schedules/glyphs_16e.py',
    '../_base_/default_runtime.py',
]

model = dict(backbone=dict(depth=10), head=dict(num_classes=10))
param_scheduler = dict(eta_max=0.1)
default_hooks = dict(logger=dict(interval=16), checkpoint=dict(interval=8))
