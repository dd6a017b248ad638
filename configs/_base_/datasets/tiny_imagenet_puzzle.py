# Tiny-ImageNet in PuzzleMix's recipe (batch 100, padding 4), which TransformMix follows
# Used in: TransformMix Tables 2, 3, 7, 8
_base_ = '../loaders.py'
data_preprocessor = dict(
    num_classes=200,
    mean=[127.5, 127.5, 127.5],
    std=[127.5, 127.5, 127.5],
    # images are read as BGR, and pre-trained networks want RGB
    to_rgb=True,
)

train_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='RandomCrop', crop_size=64, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='CheckedLoadImageFromFile'), dict(type='PackInputs')]

images = dict(type='TinyImageNet', data_root='data/tiny_imagenet')
loading = dict(batch_size=100, num_workers=4)
train_dataloader = dict(**loading, dataset=dict(**images, split='train', pipeline=train_pipeline))
# papers report the validation images: the test images have no labels
val_dataloader = dict(**loading, dataset=dict(**images, split='val', pipeline=test_pipeline))
test_dataloader = val_dataloader
