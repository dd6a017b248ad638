# TransformMix Table 2, ImageNet, ResNet-50, "TransformMix": 77.60 +- 0.04 / 93.89 +- 0.06 top-1
# / top-5. Phase 1 of PuzzleMix's fast recipe, epochs 0 to 15 at 128 pixels; resnet50_imagenet.py
# goes on from its weights. 4 GPUs x 256.
# Ours: the teacher is simple/resnet50_imagenet.py's, all phases of it; masks are made at 64 pixels
# and resized; alpha 1.
_base_ = '../simple/resnet50_imagenet_phase1.py'

from mmtmix.recipes import stage, transformmix

teacher = stage('configs/simple/resnet50_imagenet.py', 'last.pth')
search = stage('configs/transformmix/search_resnet50_imagenet.py', 'mixer.pth')
requires = [teacher, search]
model = dict(train_cfg=dict(augments=transformmix(search, teacher)))
