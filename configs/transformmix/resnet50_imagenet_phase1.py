# TransformMix Table 2, ImageNet, ResNet-50, "TransformMix": 77.60 +- 0.04 / 93.89 +- 0.06 top-1
# / top-5. Phase 1, see simple/resnet50_imagenet.py. 4 GPUs x 256.
# Ours: as in resnet50_imagenet.py.
_base_ = '../simple/resnet50_imagenet_phase1.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/resnet50_imagenet.py', 'last.pth')
search = stage('configs/transformmix/search_resnet50_imagenet.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher)))
