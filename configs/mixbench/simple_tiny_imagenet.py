# MixBench, Tiny-ImageNet, without mixing: `NETWORK` (resnet18, resnext50) after 400 epochs;
# OpenMixup prints 61.68 and 65.04, medians of the last 10 epochs. 1 GPU x 100.
# It is also the teacher of the rows that need one.
_base_ = [
    '../_base_/datasets/tiny_imagenet_automix.py',
    '../_base_/schedules/automix_400e.py',
    '../_base_/default_runtime.py',
]
from mmtmix.recipes import read_base, variant

network = variant('NETWORK', 'resnet18', 'resnext50')
model = read_base(f'_base_/models/{network}_cifar100.py').model
model.head.num_classes = 200
