# SuperMix Table 1, CIFAR-100, WRN-28-10, "SuperMix": 83.6 top-1. 1 GPU x 128.
# Three stages, see `requires`: WRN-28-10 on clean images is the teacher, which mixes 500,000
# images; then the same network is trained from scratch on both. That takes as many iterations as
# on clean images alone, up to half an epoch: 55 epochs of both for 600.
# Ours, since section 4.1 doesn't say it: mixed images have the class that the teacher sees most
# of, as in the distillation and the public code, whose images are kept without a label; they are
# cropped as the clean ones are. Recipe: see schedules/supermix_600e.py.
_base_ = '../simple/wrn28_10_cifar100_supermix.py'

from mmtmix.recipes import clean_and_mixed, scale_schedule, stage

mixed = stage('configs/supermix/generate_wrn28_10_cifar100_self.py', 'dataset.json')
requires = [mixed]
train_dataloader = dict(dataset=clean_and_mixed(_base_.train_dataloader.dataset, mixed))
param_scheduler, train_cfg = scale_schedule(_base_, num_clean=50_000, num_mixed=500_000)
