# Tiny-ImageNet in AutoMix's recipe (batch 100, crops resized by bicubic interpolation)
# Used in: TransformMix Table 9
_base_ = './tiny_imagenet_puzzle.py'
data_preprocessor = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])

train_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    # Pillow's, as in torchvision: OpenCV's bicubic filter is another one
    dict(type='RandomResizedCrop', scale=64, backend='pillow', interpolation='bicubic'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
