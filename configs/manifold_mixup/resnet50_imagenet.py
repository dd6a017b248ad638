# TransformMix Table 2, ImageNet, ResNet-50, "Manifold MixUp": 76.85 / 93.50 top-1 / top-5.
# Phases 2 and 3, see simple/resnet50_imagenet.py. 4 GPUs x 112.
# Ours: alpha 0.2, as on Tiny-ImageNet, since the recipe gives none; shares per sample, not per
# batch.
_base_ = '../simple/resnet50_imagenet.py'

from mmtmix.recipes import stage

model = dict(type='ManifoldMixup', alpha=0.2)

phase1 = stage('configs/manifold_mixup/resnet50_imagenet_phase1.py', 'last.pth')
requires = [phase1]
load_from = phase1['produces']
