# CIFAR-100 with RandAugment, in SuperMix's recipe: after crop and flip two of 14 operations at
# level 14 (10 stands for AutoAugment's strongest), then a 16x16 hole. N = 2, M = 14 are
# RandAugment's for WRN-28-10 on CIFAR-100.
# Ours: batch 128, and the hole, which AutoAugment's evaluation has. The operations are those of
# the paper's list and always applied, in the ranges of its authors' code, where a higher level
# solarizes and posterizes less: beyond 10 nothing else has a meaning. MMCV's colour and contrast
# take these RGB images for BGR ones.
# Used in: SuperMix Table 1
_base_ = './cifar100_supermix.py'

policies = [
    # the identity
    dict(type='Equalize', prob=0.0),
    dict(type='AutoContrast', prob=1.0),
    dict(type='Equalize', prob=1.0),
    dict(type='Rotate', magnitude_range=(0, 30), prob=1.0),
    dict(type='Solarize', magnitude_range=(0, 256), prob=1.0),
    dict(type='ColorTransform', magnitude_range=(-0.9, 0.9), random_negative_prob=0.0, prob=1.0),
    dict(type='Posterize', magnitude_range=(0, 4), prob=1.0),
    dict(type='Contrast', magnitude_range=(-0.9, 0.9), random_negative_prob=0.0, prob=1.0),
    dict(type='Brightness', magnitude_range=(-0.9, 0.9), random_negative_prob=0.0, prob=1.0),
    dict(type='Sharpness', magnitude_range=(-0.9, 0.9), random_negative_prob=0.0, prob=1.0),
    dict(type='Shear', magnitude_range=(0, 0.3), direction='horizontal', prob=1.0),
    dict(type='Shear', magnitude_range=(0, 0.3), direction='vertical', prob=1.0),
    dict(type='Translate', magnitude_range=(0, 10 / 32), direction='horizontal', prob=1.0),
    dict(type='Translate', magnitude_range=(0, 10 / 32), direction='vertical', prob=1.0),
]

train_pipeline = [
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='RandAugment', policies=policies, num_policies=2, magnitude_level=14),
    dict(type='Cutout', shape=16, pad_val=(129, 124, 112), prob=1.0),
    dict(type='PackInputs'),
]
train_dataloader = dict(batch_size=128, dataset=dict(pipeline=train_pipeline))
