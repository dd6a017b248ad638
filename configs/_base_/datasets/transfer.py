# One of the data sets of the transfer experiments: `DATASET` is flowers102 (the default), pets,
# cars, aircraft or flowers102_818, see the files of these names
_base_ = []
from mmtmix.recipes import read_base, variant

dataset = variant('DATASET', 'flowers102', 'pets', 'cars', 'aircraft', 'flowers102_818')
globals().update(read_base(f'_base_/datasets/{dataset}_transfer.py'))
