# ImageNet with AutoAugment, in SuperMix's recipe: after crop and flip one of the 25 sub-policies
# that were found on it.
# Used in: SuperMix Table 1
_base_ = './imagenet_supermix.py'

train_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='RandomResizedCrop', scale=224, backend='pillow'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='AutoAugment', policies='imagenet'),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
