# TransformMix Table 2, CIFAR-100, PreActResNet-18, "Simple": 76.33 / 91.02 top-1 / top-5 (from
# PuzzleMix's paper; the median over the last 10 epochs there). 1 GPU x 100. It is also the
# teacher of the TransformMix experiment.
# Ours: cross entropy, as TransformMix's Algorithm 1 says; PuzzleMix's code has BCE on the
# softmax.
_base_ = [
    '../_base_/models/preactresnet18_cifar100.py',
    '../_base_/datasets/cifar100_puzzle.py',
    '../_base_/schedules/puzzle_1200e.py',
    '../_base_/default_runtime.py',
]
