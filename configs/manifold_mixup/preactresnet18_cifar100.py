# TransformMix Table 2, CIFAR-100, PreActResNet-18, "Manifold MixUp": 79.02 / 93.37 top-1 / top-5
# (from PuzzleMix's paper; the median over the last 10 epochs there). 1 GPU x 100.
# Ours: shares per sample, where PuzzleMix's code draws one per batch (per_sample=False).
_base_ = '../simple/preactresnet18_cifar100.py'
model = dict(type='ManifoldMixup', alpha=2.0)
