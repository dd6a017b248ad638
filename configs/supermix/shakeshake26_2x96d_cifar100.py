# SuperMix Table 1, CIFAR-100, Shake-Shake 26 2x96d, "SuperMix": 85.5 top-1. 1 GPU x 128.
# Learns from clean images and from those of a set, as many iterations as from clean ones alone:
# 164 epochs of both for 1800.
# Ours: class and crops of the mixed images, see README.md; recipe, see
# schedules/shakeshake_1800e.py.
_base_ = '../simple/shakeshake26_2x96d_cifar100.py'

from mmtmix.recipes import clean_and_mixed, scale_schedule, stage

mixed = stage('configs/supermix/generate_shakeshake26_2x96d_cifar100_self.py', 'dataset.json')
requires = [mixed]
train_dataloader = dict(dataset=clean_and_mixed(_base_.train_dataloader.dataset, mixed))
param_scheduler, train_cfg = scale_schedule(_base_, num_clean=50_000, num_mixed=500_000)
