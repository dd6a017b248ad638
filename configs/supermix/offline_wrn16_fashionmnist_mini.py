# SuperMix offline, second part: training on clean and mixed images, section 4.1. The mixed ones
# have the class that the teacher sees most of; training takes as many iterations as on clean
# images alone, to half an epoch.
_base_ = '../simple/wrn16_fashionmnist_mini.py'

from mmtmix.recipes import clean_and_mixed, scale_schedule, stage

mixed = stage('configs/supermix/generate_wrn16_fashionmnist_mini.py', 'dataset.json')
requires = [mixed]
train_dataloader = dict(dataset=clean_and_mixed(_base_.train_dataloader.dataset, mixed))
param_scheduler, train_cfg = scale_schedule(_base_, num_clean=5000, num_mixed=5000)
