# Without mixing, on the bed of docs/evidence.md: `NET` on the first `NUM_IMAGES` images of Glyphs
# for `STEPS` steps of 50 images.
_base_ = [
    '../_base_/linear_classifier.py',
    '../_base_/datasets/glyphs_grid.py',
    '../_base_/schedules/glyphs_grid.py',
    '../_base_/default_runtime.py',
]
from mmtmix.recipes import variant

widths = dict(wrn10_1=1, wrn10_2=2, wrn10_4=4)
width = widths[variant('NET', *widths)]
model = dict(
    backbone=dict(type='WideResNet', depth=10, widen_factor=width, stem_stride=2),
    head=dict(num_classes=_base_.num_classes, in_channels=64 * width),
)
default_hooks = dict(checkpoint=dict(interval=max(1, _base_.epochs // 2)))
