# TransformMix Table 2, ImageNet, ResNet-50, "CutMix": 77.08 / 93.45 top-1 / top-5. Phases 2 and
# 3, see simple/resnet50_imagenet.py. 4 GPUs x 112.
# Ours: alpha 1 and every batch mixed, as in CutMix's own paper on ImageNet, since the recipe
# says nothing.
_base_ = '../simple/resnet50_imagenet.py'

from mmtmix.recipes import stage

model = dict(train_cfg=dict(augments=dict(type='CutMix', alpha=1.0)))

phase1 = stage('configs/cutmix/resnet50_imagenet_phase1.py', 'last.pth')
requires = [phase1]
load_from = phase1['produces']
