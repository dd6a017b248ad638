# TransformMix Table 2, ImageNet, ResNet-50, "Mixup": 77.01 / 93.52 top-1 / top-5. Phase 1 of
# PuzzleMix's fast recipe, epochs 0 to 15 at 128 pixels; resnet50_imagenet.py goes on from its
# weights. 4 GPUs x 256.
# Ours: alpha 0.2, that of Mixup's own paper on ImageNet, since the recipe gives none.
_base_ = '../simple/resnet50_imagenet_phase1.py'
model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=0.2)))
