# TransformMix Table 9, Tiny-ImageNet, ResNet-18, AutoMix protocol: 67.65 +- 0.12 top-1. 1 GPU x
# 100. The teacher and the mixer are made first, see `requires`.
# Ours: every batch is mixed, alpha 1.
_base_ = '../simple/resnet18_tinyimagenet.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/resnet18_tinyimagenet.py', 'last.pth')
search = stage('configs/transformmix/search_resnet18_tinyimagenet.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher)))
