# Manifold Mixup at the budget of transformmix/wrn16_fashionmnist_mini
_base_ = '../simple/wrn16_fashionmnist_mini.py'
model = dict(type='ManifoldMixup', alpha=2.0)
