# Tiny-ImageNet in AutoMix's recipe (batch 100, crops resized by bicubic interpolation)
# Used in: TransformMix Table 9
data_preprocessor = dict(
    num_classes=200,
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    # images are read as BGR, and pre-trained networks want RGB
    to_rgb=True,
)

train_pipeline = [
    dict(type='CheckedLoadImageFromFile'),
    # Pillow's, as in torchvision: OpenCV's bicubic filter is another one
    dict(type='RandomResizedCrop', scale=64, backend='pillow', interpolation='bicubic'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='CheckedLoadImageFromFile'), dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=100,
    num_workers=4,
    persistent_workers=False,
    worker_init_fn=dict(type='seed_worker'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='TinyImageNet', data_root='data/tiny_imagenet', split='train', pipeline=train_pipeline
    ),
)
# papers report the validation images: the test images have no labels
val_dataloader = dict(
    batch_size=100,
    num_workers=4,
    persistent_workers=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='TinyImageNet', data_root='data/tiny_imagenet', split='val', pipeline=test_pipeline
    ),
)
val_evaluator = dict(type='Accuracy', topk=(1, 5))
test_dataloader = val_dataloader
test_evaluator = val_evaluator
