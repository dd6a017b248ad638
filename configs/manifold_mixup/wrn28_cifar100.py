# TransformMix Tables 2 and 8, CIFAR-100, WRN-28-10, "Manifold MixUp": 82.60 / 95.63 top-1 /
# top-5 (from PuzzleMix's paper; the median over the last 10 epochs there). 1 GPU x 100.
# Ours: shares per sample, where PuzzleMix's code draws one per batch (per_sample=False).
_base_ = '../simple/wrn28_cifar100.py'
model = dict(type='ManifoldMixup', alpha=2.0)
