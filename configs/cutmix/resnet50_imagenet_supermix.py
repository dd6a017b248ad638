# SuperMix Table 1, ImageNet, ResNet-50, "CutMix": 77.2 / 93.5 top-1 / top-5. 8 GPUs x 32, with
# train_dataloader.batch_size=32 (1 GPU x 256 as it stands). The recipe is SuperMix's;
# TransformMix's, PuzzleMix's three phases, is another one.
# Ours: alpha 1 and every batch, as in CutMix's paper on ImageNet. Recipe: see
# schedules/supermix_270e.py.
_base_ = '../simple/resnet50_imagenet_supermix.py'

model = dict(train_cfg=dict(augments=dict(type='CutMix', alpha=1.0)))
