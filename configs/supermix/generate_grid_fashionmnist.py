# SuperMix offline in the grid of docs/evidence.md, first part: five mixed images a clean one
_base_ = './grid_fashionmnist.py'
work_dir = f'work_dirs/supermix/generate_grid_fashionmnist/{_base_.setting}'
generation = dict(num=5 * _base_.num_images, seed=0)
