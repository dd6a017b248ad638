# TransformMix Table 2, ImageNet, ResNet-50, "PuzzleMix": 77.51 / 93.76 top-1 / top-5. Phases 2
# and 3, see simple/resnet50_imagenet.py. 4 GPUs x 112.
# Its public settings on ImageNet are beta 1.5, colours averaged over squares of 2 pixels
# (neigh_size 2) and blocks that move as a whole (t_size -1). The loss on clean images (clean_lam
# 1) is public, too: up to epoch 40, which is epoch 25 of this run, and none after it: phase 3
# takes saliency in eval mode.
_base_ = '../simple/resnet50_imagenet.py'

from mmtmix.recipes import stage

phase1 = stage('configs/puzzlemix/resnet50_imagenet_phase1.py', 'last.pth')
requires = [phase1]
load_from = phase1['produces']

puzzle = dict(type='PuzzleMix', alpha=1.0, beta=1.5, neigh_size=2, t_size=-1)
phase2 = dict(puzzle, saliency=dict(type='InputGradient', clean_lam=1.0))
phase3 = dict(puzzle, saliency='InputGradient')
model = dict(train_cfg=dict(augments=phase2))
custom_hooks = [
    dict(type='LiveModelHook'),
    dict(
        type='SwitchRecipeHook',
        # counted from 1
        schedule=[dict(action_epoch=26, batch_augments=dict(augments=phase3))],
    ),
]
