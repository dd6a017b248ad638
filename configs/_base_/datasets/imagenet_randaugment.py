# ImageNet with RandAugment, in SuperMix's recipe: after crop and flip two of 14 operations at
# level 9 of 10, RandAugment's N = 2, M = 9 for ResNet-50.
# Ours: the operations are those of the paper's list and always applied, in the ranges of its
# authors' code, where a higher level solarizes and posterizes less.
# Used in: SuperMix Table 1
_base_ = './imagenet_supermix.py'

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
    dict(type='Translate', magnitude_range=(0, 100 / 224), direction='horizontal', prob=1.0),
    dict(type='Translate', magnitude_range=(0, 100 / 224), direction='vertical', prob=1.0),
]

train_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='RandomResizedCrop', scale=224, backend='pillow'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='RandAugment', policies=policies, num_policies=2, magnitude_level=9),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
