# TransformMix Table 6, CIFAR-10, WRN-28-10, "Simple": 96.13 top-1. 1 GPU x 100. It is also the
# teacher of the TransformMix experiment.
# Ours: the paper doesn't say how the networks of CIFAR-10 are trained: as WRN-28-10 on
# CIFAR-100, 400 epochs of PuzzleMix's recipe; cross entropy; the median over the last 10 epochs.
_base_ = [
    '../_base_/models/wrn28_10_puzzle_cifar100.py',
    '../_base_/datasets/cifar10_puzzle.py',
    '../_base_/schedules/puzzle_400e.py',
    '../_base_/default_runtime.py',
]
model = dict(head=dict(num_classes=10))
