# SuperMix Table 1, ImageNet, ResNet-50, "SuperMix + RA": 78.2 / 94.0 top-1 / top-5. 8 GPUs x 32,
# with train_dataloader.batch_size=32 (1 GPU x 256 as it stands).
# Learns from clean images and from those of a set, as many iterations as from clean ones alone:
# 152 epochs of both for 270. RandAugment comes after the mix, on all of them alike.
# Ours: class and crops of the mixed images, see supermix/README.md; RandAugment's settings, see
# randaugment/resnet50_imagenet.py.
_base_ = '../randaugment/resnet50_imagenet.py'

from mmtmix.recipes import clean_and_mixed, scale_schedule, stage

mixed = stage('configs/supermix/generate_resnet50_imagenet_self.py', 'dataset.json')
requires = [mixed]
train_dataloader = dict(dataset=clean_and_mixed(_base_.train_dataloader.dataset, mixed))
param_scheduler, train_cfg = scale_schedule(_base_, num_clean=1_281_167, num_mixed=1_000_000)
