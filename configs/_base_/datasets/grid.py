# One of the data sets of docs/evidence.md: `DATASET` is fashionmnist (the default), digits or
# scattered, see the files of these names
_base_ = []
from mmtmix.recipes import read_base, variant

dataset = variant('DATASET', 'fashionmnist', 'digits', 'scattered')
globals().update(read_base(f'_base_/datasets/{dataset}_grid.py'))
