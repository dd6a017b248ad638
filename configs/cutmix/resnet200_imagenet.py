# SuperMix Table 1, ImageNet, ResNet-200, "CutMix": 79.9 / 94.9 top-1 / top-5. 8 GPUs x 32, with
# train_dataloader.batch_size=32 (1 GPU x 256 as it stands).
# Ours: alpha 1 and every batch, as in CutMix's paper on ImageNet. Recipe: see
# schedules/supermix_270e.py.
_base_ = '../simple/resnet200_imagenet.py'

model = dict(train_cfg=dict(augments=dict(type='CutMix', alpha=1.0)))
