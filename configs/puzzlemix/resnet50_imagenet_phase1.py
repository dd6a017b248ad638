# TransformMix Table 2, ImageNet, ResNet-50, "PuzzleMix": 77.51 / 93.76 top-1 / top-5. Phase 1,
# see simple/resnet50_imagenet.py. 4 GPUs x 256.
# Its public settings on ImageNet are beta 1.5, colours averaged over squares of 2 pixels
# (neigh_size 2) and blocks that move as a whole (t_size -1). The loss on clean images (clean_lam
# 1) is public, too: up to epoch 40.
_base_ = '../simple/resnet50_imagenet_phase1.py'

puzzle = dict(type='PuzzleMix', alpha=1.0, beta=1.5, neigh_size=2, t_size=-1)
saliency = dict(type='InputGradient', clean_lam=1.0)
model = dict(train_cfg=dict(augments=dict(puzzle, saliency=saliency)))
custom_hooks = [dict(type='LiveModelHook')]
