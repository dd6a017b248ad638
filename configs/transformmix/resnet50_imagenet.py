# TransformMix Table 2, ImageNet, ResNet-50, "TransformMix": 77.60 +- 0.04 / 93.89 +- 0.06 top-1
# / top-5. Phases 2 and 3, see simple/resnet50_imagenet.py. 4 GPUs x 112.
# Ours: the teacher is simple/resnet50_imagenet.py's, all phases of it; masks are made at 64
# pixels and resized; alpha 1.
_base_ = '../simple/resnet50_imagenet.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/resnet50_imagenet.py', 'last.pth')
search = stage('configs/transformmix/search_resnet50_imagenet.py', 'mixer.pth')
phase1 = stage('configs/transformmix/resnet50_imagenet_phase1.py', 'last.pth')
requires = [teacher, search, phase1]
load_from = phase1['produces']
model = dict(train_cfg=dict(augments=transformmix(search, teacher)))
