# ImageNet in phase 1 of PuzzleMix's fast recipe: shorter side 160, crops of 128, batch 1024
# Used in: TransformMix Table 2
_base_ = ['./imagenet_supermix.py']

short_side, crop, batch = 160, 128, 1024

# Resized while loading, see imagenet_puzzle_352.py. A crop takes 0.08 of an image at least, 0.087
# in the later phases. Validation is at 256/224 in every phase.
train_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='ResizeEdge', scale=short_side, edge='short', backend='pillow'),
    dict(type='RandomResizedCrop', scale=crop, crop_ratio_range=(0.08, 1.0), backend='pillow'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
train_dataloader = dict(batch_size=batch, drop_last=True, dataset=dict(pipeline=train_pipeline))
