# SuperMix offline in the grid of docs/evidence.md, first part: five mixed images per clean one
_base_ = './grid_fashionmnist.py'
generation = dict(num=5 * _base_.num_images, seed=0)
