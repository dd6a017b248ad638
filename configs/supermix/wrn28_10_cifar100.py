# SuperMix Table 1, CIFAR-100, WRN-28-10, "SuperMix": 83.6 top-1. 1 GPU x 128.
# Learns from clean images and from those of a set, as many iterations as from clean ones alone:
# 55 epochs of both for 600.
# Ours: class and crops of the mixed images, see README.md; recipe, see schedules/supermix_600e.py.
_base_ = '../simple/wrn28_10_cifar100_supermix.py'

from mmtmix.recipes import clean_and_mixed, scale_schedule, stage

mixed = stage('configs/supermix/generate_wrn28_10_cifar100_self.py', 'dataset.json')
requires = [mixed]
train_dataloader = dict(dataset=clean_and_mixed(_base_.train_dataloader.dataset, mixed))
param_scheduler, train_cfg = scale_schedule(_base_, num_clean=50_000, num_mixed=500_000)
