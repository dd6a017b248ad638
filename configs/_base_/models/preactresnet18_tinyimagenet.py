# PreActResNet-18 as PuzzleMix has it for 64 pixels: 11,268,616 parameters
# Used in: TransformMix Tables 2, 7, 8
_base_ = 'preactresnet18_cifar100.py'
model = dict(backbone=dict(stem_stride=2), head=dict(num_classes=200))
