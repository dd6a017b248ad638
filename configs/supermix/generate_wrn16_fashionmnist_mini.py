# SuperMix offline, first part: as many mixed images as there are clean ones.
_base_ = './wrn16_fashionmnist_mini.py'
generation = dict(num=5000, seed=0)
