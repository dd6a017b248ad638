# SuperMix Table 1, ImageNet, ResNet-200, "SuperMix": 80.8 / 95.4 top-1 / top-5. 8 GPUs x 32, with
# train_dataloader.batch_size=32 (1 GPU x 256 as it stands).
# Three stages, see `requires`: ResNet-200 on clean images is the teacher, which mixes 1,000,000
# images; then the same network is trained from scratch on both. That takes as many iterations as
# on clean images alone, up to half an epoch: 152 epochs of both for 270.
# Ours, since section 4.1 doesn't say it: mixed images have the class that the teacher sees most
# of, as in the distillation and the public code, whose images are kept without a label; they are
# cropped as the clean ones are. Recipe: see schedules/supermix_270e.py.
_base_ = '../simple/resnet200_imagenet.py'

from mmtmix.recipes import clean_and_mixed, scale_schedule, stage

mixed = stage('configs/supermix/generate_resnet200_imagenet_self.py', 'dataset.json')
requires = [mixed]
train_dataloader = dict(dataset=clean_and_mixed(_base_.train_dataloader.dataset, mixed))
param_scheduler, train_cfg = scale_schedule(_base_, num_clean=1_281_167, num_mixed=1_000_000)
