# TransformMix Tables 2 and 8, Tiny-ImageNet, PreActResNet-18, "Manifold MixUp": 58.01 / 74.12
# top-1 / top-5. 1 GPU x 100.
# Ours: shares per sample, where PuzzleMix's code draws one per batch (per_sample=False).
_base_ = '../simple/preactresnet18_tinyimagenet.py'
model = dict(type='ManifoldMixup', alpha=0.2)
