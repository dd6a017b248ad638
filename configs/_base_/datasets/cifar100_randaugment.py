# CIFAR-100 with RandAugment, in SuperMix's recipe: after crop and flip two of 14 operations at
# level 14 (10 stands for AutoAugment's strongest), then a 16x16 hole. N = 2, M = 14 are
# RandAugment's for WRN-28-10 on CIFAR-100.
# Ours: batch 128, and the hole, which AutoAugment's evaluation has. The operations are those of
# the paper's list and always applied, in the ranges of its authors' code, where a higher level
# solarizes and posterizes less: beyond 10 nothing else has a meaning. MMCV's colour and contrast
# take these RGB images for BGR ones.
# Used in: SuperMix Table 1
_base_ = './cifar100_supermix.py'

from mmtmix.recipes import randaugment_policies

policies = randaugment_policies(translate=10 / 32)
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='RandAugment', policies=policies, num_policies=2, magnitude_level=14),
    dict(type='Cutout', shape=16, pad_val=(129, 124, 112), prob=1.0),
    dict(type='PackInputs'),
]
train_dataloader = dict(batch_size=128, dataset=dict(pipeline=train_pipeline))
