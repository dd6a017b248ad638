# ImageNet with AutoAugment, in SuperMix's recipe: after crop and flip one of the 25 sub-policies
# that were found on it.
# Used in: SuperMix Table 1
_base_ = './imagenet_supermix.py'

train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='AutoAugment', policies='imagenet'),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
