# ImageNet with RandAugment, in SuperMix's recipe: after crop and flip two of 14 operations at
# level 9 of 10, RandAugment's N = 2, M = 9 for ResNet-50.
# Ours: the operations are those of the paper's list and always applied, in the ranges of its
# authors' code, where a higher level solarizes and posterizes less.
# Used in: SuperMix Table 1
_base_ = './imagenet_supermix.py'

from mmtmix.recipes import randaugment_policies

policies = randaugment_policies(translate=100 / 224)
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='RandAugment', policies=policies, num_policies=2, magnitude_level=9),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
