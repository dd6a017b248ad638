# Manifold Mixup at the budget of the TransformMix demo
_base_ = '../simple/wrn16_fashionmnist_mini.py'
model = dict(type='ManifoldMixup', alpha=2.0)
