# SuperMix Table 1, ImageNet, ResNet-200, "MixUp": 79.6 / 94.8 top-1 / top-5. 8 GPUs x 32, with
# train_dataloader.batch_size=32 (1 GPU x 256 as it stands).
# Ours: alpha 0.2, as in Mixup's paper on ImageNet. Recipe: see schedules/supermix_270e.py.
_base_ = '../simple/resnet200_imagenet.py'

model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=0.2)))
