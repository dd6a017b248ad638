# TransformMix Table 2, ImageNet, ResNet-50, "Simple": 75.69 / 92.66 top-1 / top-5. Phase 1 of
# PuzzleMix's fast recipe, epochs 0 to 15 at 128 pixels; resnet50_imagenet.py goes on from its
# weights. 4 GPUs x 256.
_base_ = [
    '../_base_/models/resnet50_imagenet.py',
    '../_base_/datasets/imagenet_puzzle_160.py',
    '../_base_/schedules/imagenet_puzzle_15e.py',
    '../_base_/default_runtime.py',
]
