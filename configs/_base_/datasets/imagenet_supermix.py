# ImageNet in the ResNet recipe that SuperMix distils with: batch 256 in all, 224 pixels
# Used in: SuperMix Tables 1, 4, 5, Figure 5
_base_ = '../loaders.py'
data_preprocessor = dict(
    num_classes=1000,
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    # images are read as BGR, and pre-trained networks want RGB
    to_rgb=True,
)

# Pillow resizes as torchvision does, whose weights the networks start from
train_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='RandomResizedCrop', scale=224, backend='pillow'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    dict(type='ResizeEdge', scale=256, edge='short', backend='pillow'),
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackInputs'),
]

images = dict(type='ImageNet', data_root='data/imagenet')
# the batch size is that of one process: divide it by their number
loading = dict(batch_size=256, num_workers=8)
train_dataloader = dict(**loading, dataset=dict(**images, split='train', pipeline=train_pipeline))
# papers report the validation images: the test images have no labels
val_dataloader = dict(**loading, dataset=dict(**images, split='val', pipeline=test_pipeline))
test_dataloader = val_dataloader
