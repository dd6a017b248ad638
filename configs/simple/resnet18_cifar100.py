# TransformMix Figure 7, CIFAR-100, ResNet-18: the teacher; its accuracy isn't printed. 1 GPU x
# 100.
# Ours, since the paper only says 200 epochs: PuzzleMix's recipe of 400 epochs, halved, for the
# teacher, too.
_base_ = [
    '../_base_/models/resnet18_cifar100.py',
    '../_base_/datasets/cifar100_puzzle.py',
    '../_base_/schedules/puzzle_400e.py',
    '../_base_/default_runtime.py',
]
param_scheduler = dict(milestones=[100, 150])
train_cfg = dict(max_epochs=200)
