# TransformMix Tables 2, 7 and 8, Tiny-ImageNet, PreActResNet-18, "Simple": 57.23 / 73.65 top-1 /
# top-5 (the median over the last 10 epochs). 1 GPU x 100. It is also the teacher of the
# TransformMix experiments.
# Ours: cross entropy, as TransformMix's Algorithm 1 says; PuzzleMix's code has BCE on the
# softmax.
_base_ = [
    '../_base_/models/preactresnet18_tinyimagenet.py',
    '../_base_/datasets/tiny_imagenet_puzzle.py',
    '../_base_/schedules/puzzle_1200e.py',
    '../_base_/default_runtime.py',
]
optim_wrapper = dict(optimizer=dict(lr=0.2))
param_scheduler = dict(milestones=[600, 900])
