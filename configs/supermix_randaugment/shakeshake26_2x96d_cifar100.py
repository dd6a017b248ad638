# SuperMix Table 1, CIFAR-100, Shake-Shake 26 2x96d, "SuperMix + RA": 85.8 top-1. 1 GPU x 128.
# Learns from clean images and from those of a set, as many iterations as from clean ones alone:
# 164 epochs of both for 1800. RandAugment comes after the mix, on all of them alike.
# Ours: class and crops of the mixed images, see supermix/README.md; RandAugment's settings, see
# randaugment/shakeshake26_2x96d_cifar100.py.
_base_ = '../randaugment/shakeshake26_2x96d_cifar100.py'

from mmtmix.recipes import clean_and_mixed, scale_schedule, stage

mixed = stage('configs/supermix/generate_shakeshake26_2x96d_cifar100_self.py', 'dataset.json')
requires = [mixed]
train_dataloader = dict(dataset=clean_and_mixed(_base_.train_dataloader.dataset, mixed))
param_scheduler, train_cfg = scale_schedule(_base_, num_clean=50_000, num_mixed=500_000)
