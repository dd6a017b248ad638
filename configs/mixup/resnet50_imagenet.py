# TransformMix Table 2, ImageNet, ResNet-50, "Mixup": 77.01 / 93.52 top-1 / top-5. Phases 2 and
# 3, see simple/resnet50_imagenet.py. 4 GPUs x 112.
# Ours: alpha 0.2, that of Mixup's own paper on ImageNet, since the recipe gives none.
_base_ = '../simple/resnet50_imagenet.py'

from mmtmix.recipes import stage

model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=0.2)))

phase1 = stage('configs/mixup/resnet50_imagenet_phase1.py', 'last.pth')
requires = [phase1]
load_from = phase1['produces']
