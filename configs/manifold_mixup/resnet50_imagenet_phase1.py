# TransformMix Table 2, ImageNet, ResNet-50, "Manifold MixUp": 76.85 / 93.50 top-1 / top-5. Phase
# 1 of PuzzleMix's fast recipe, epochs 0 to 15 at 128 pixels; resnet50_imagenet.py goes on from
# its weights. 4 GPUs x 256.
# Ours: alpha 0.2, as on Tiny-ImageNet, since the recipe gives none; shares a sample, not a
# batch.
_base_ = '../simple/resnet50_imagenet_phase1.py'
model = dict(type='ManifoldMixup', alpha=0.2)
