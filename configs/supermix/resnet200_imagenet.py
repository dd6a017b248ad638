# SuperMix Table 1, ImageNet, ResNet-200, "SuperMix": 80.8 / 95.4 top-1 / top-5. 8 GPUs x 32, with
# train_dataloader.batch_size=32 (1 GPU x 256 as it stands).
# Learns from clean images and from those of a set, as many iterations as from clean ones alone:
# 152 epochs of both for 270.
# Ours: class and crops of the mixed images, see README.md; recipe, see schedules/supermix_270e.py.
_base_ = '../simple/resnet200_imagenet.py'

from mmtmix.recipes import clean_and_mixed, scale_schedule, stage

mixed = stage('configs/supermix/generate_resnet200_imagenet_self.py', 'dataset.json')
requires = [mixed]
train_dataloader = dict(dataset=clean_and_mixed(_base_.train_dataloader.dataset, mixed))
param_scheduler, train_cfg = scale_schedule(_base_, num_clean=1_281_167, num_mixed=1_000_000)
