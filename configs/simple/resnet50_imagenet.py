# TransformMix Table 2, ImageNet, ResNet-50, "Simple": 75.69 / 92.66 top-1 / top-5. Phases 2 and
# 3 of PuzzleMix's fast recipe, epochs 15 to 100 at 224 pixels; phase 1 is made first, see
# `requires`. 4 GPUs x 112 (phase 1: 4 x 256): the batch size of the config is that of one
# process, divide it by their number.
# Ours: two runs, since a loader has one batch size; only weights go over, so the momentum
# buffers start anew at epoch 15, where the public code keeps them. It is also the teacher of the
# TransformMix experiment. The median is over the last 10 epochs, as in the rest of the table.
_base_ = [
    '../_base_/models/resnet50_imagenet.py',
    '../_base_/datasets/imagenet_puzzle_352.py',
    '../_base_/schedules/imagenet_puzzle_85e.py',
    '../_base_/default_runtime.py',
]

from mmtmix.recipes import stage

phase1 = stage('configs/simple/resnet50_imagenet_phase1.py', 'last.pth')
requires = [phase1]
load_from = phase1['produces']
