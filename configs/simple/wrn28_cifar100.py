# TransformMix Tables 2, 4 and 8, CIFAR-100, WRN-28-10, "Simple": 78.86 / 93.67 top-1 / top-5 (from
# PuzzleMix's paper; the median over the last 10 epochs there). 1 GPU x 100. It is also the
# teacher of the TransformMix experiments.
# Ours: cross entropy, as TransformMix's Algorithm 1 says; PuzzleMix's code has BCE on the softmax.
_base_ = [
    '../_base_/models/wrn28_10_puzzle_cifar100.py',
    '../_base_/datasets/cifar100_puzzle.py',
    '../_base_/schedules/puzzle_400e.py',
    '../_base_/default_runtime.py',
]
