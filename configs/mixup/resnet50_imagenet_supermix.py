# SuperMix Table 1, ImageNet, ResNet-50, "MixUp": 77.0 / 93.4 top-1 / top-5. 8 GPUs x 32, with
# train_dataloader.batch_size=32 (1 GPU x 256 as it stands). The recipe is SuperMix's;
# TransformMix's, PuzzleMix's three phases, is another one.
# Ours: alpha 0.2, as in Mixup's paper on ImageNet. Recipe: see schedules/supermix_270e.py.
_base_ = '../simple/resnet50_imagenet_supermix.py'

model = dict(train_cfg=dict(augments=dict(type='Mixup', alpha=0.2)))
