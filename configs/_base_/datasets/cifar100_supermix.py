# CIFAR-100 in SuperMix's distillation recipe (padding 4): batch 64 for teachers and for students
# without mixed images, 128 for students with them
# Used in: TransformMix Table 10; SuperMix Tables 1, 2, 3, 4, Figure 5
_base_ = '../loaders.py'
data_preprocessor = dict(
    num_classes=100,
    # RGB, as MMPretrain's CIFAR100 gives it
    mean=[129.3105, 124.1085, 112.404],
    std=[68.2125, 65.4075, 70.4055],
    to_rgb=False,
)

train_pipeline = [
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='PackInputs')]

images = dict(type='CIFAR100', data_root='data/cifar100')
train_dataloader = dict(
    batch_size=64, dataset=dict(**images, split='train', pipeline=train_pipeline)
)
val_dataloader = dict(batch_size=100, dataset=dict(**images, split='test', pipeline=test_pipeline))
test_dataloader = val_dataloader
