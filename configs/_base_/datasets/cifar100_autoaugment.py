# CIFAR-100 with AutoAugment, in SuperMix's recipe: after crop and flip one of the 25 sub-policies
# that were found on CIFAR-10, then a 16x16 hole, as AutoAugment's paper has it. MMPretrain has no
# policy for CIFAR; levels mean what they mean in its policy for ImageNet.
# Ours: batch 128; holes and what comes in from outside are filled with the mean colour and with
# 128. MMCV's colour and contrast take these RGB images for BGR ones.
# Used in: SuperMix Table 1
_base_ = './cifar100_supermix.py'

from mmtmix.recipes import autoaugment_cifar_policies

train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='AutoAugment', policies=autoaugment_cifar_policies()),
    dict(type='Cutout', shape=16, pad_val=(129, 124, 112), prob=1.0),
    dict(type='PackInputs'),
]
train_dataloader = dict(batch_size=128, dataset=dict(pipeline=train_pipeline))
