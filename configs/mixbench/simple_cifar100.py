# MixBench, CIFAR-100, without mixing: `NETWORK` (resnet18, resnext50) after `EPOCHS` (200, 400,
# 800, 1200); OpenMixup prints 76.42, 77.73, 78.04, 78.55 and 79.37, 80.24, 81.09, 81.32, medians
# of the last 10 epochs. 1 GPU x 100. It is also the teacher of the rows that need one.
_base_ = [
    '../_base_/datasets/cifar100_openmixup.py',
    '../_base_/schedules/openmixup.py',
    '../_base_/default_runtime.py',
]
from mmtmix.recipes import read_base, variant

network = variant('NETWORK', 'resnet18', 'resnext50')
model = read_base(f'_base_/models/{network}_cifar100.py').model
