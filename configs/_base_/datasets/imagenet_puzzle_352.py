# ImageNet in phases 2 and 3 of PuzzleMix's fast recipe: shorter side 352, crops of 224, batch 448
# Used in: TransformMix Table 2
_base_ = ['./imagenet_supermix.py']

short_side, crop, batch = 352, 224, 448

# There the images are resized once and stored as JPEGs; here they are while they are loaded, so
# the folder of the originals serves all phases. Where yours holds resized ones, this does nothing.
train_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='ResizeEdge', scale=short_side, edge='short', backend='pillow'),
    dict(type='RandomResizedCrop', scale=crop, crop_ratio_range=(0.087, 1.0), backend='pillow'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
train_dataloader = dict(batch_size=batch, drop_last=True, dataset=dict(pipeline=train_pipeline))
