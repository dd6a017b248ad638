# TransformMix Table 2, ImageNet, ResNet-50, "Manifold MixUp": 76.85 / 93.50 top-1 / top-5.
# Phases 2 and 3 of PuzzleMix's fast recipe, epochs 15 to 100 at 224 pixels; phase 1 is made
# first, see `requires`. 4 GPUs x 112 (phase 1: 4 x 256): the batch size of the config is that of
# one process, divide it by their number.
# Ours: alpha 0.2, as on Tiny-ImageNet, since the recipe gives none; shares a sample, not a
# batch.
_base_ = '../simple/resnet50_imagenet.py'

from mmtmix.recipes import stage

model = dict(type='ManifoldMixup', alpha=0.2)

phase1 = stage('configs/manifold_mixup/resnet50_imagenet_phase1.py', 'last.pth')
requires = [phase1]
load_from = phase1['produces']
