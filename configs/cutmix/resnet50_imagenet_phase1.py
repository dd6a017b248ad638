# TransformMix Table 2, ImageNet, ResNet-50, "CutMix": 77.08 / 93.45 top-1 / top-5. Phase 1, see
# simple/resnet50_imagenet.py. 4 GPUs x 256.
# Ours: as in resnet50_imagenet.py.
_base_ = '../simple/resnet50_imagenet_phase1.py'
model = dict(train_cfg=dict(augments=dict(type='CutMix', alpha=1.0)))
