# CIFAR-100 for transformers in OpenMixup's recipe: resized to 224 pixels, crops of 80 to 100 % of
# the area, RandAugment at level 7 of 10 with FixMatch's operations, batch 100.
# Ours: an operation's strength is MMPretrain's, whose colour and contrast take these RGB images
# for BGR ones.
# It is for configs/mixbench.
_base_ = './cifar100_openmixup.py'

enhance = dict(magnitude_range=(0.05, 0.95))
policies = [
    dict(type='AutoContrast'),
    dict(type='Brightness', **enhance),
    dict(type='ColorTransform', **enhance),
    dict(type='Contrast', **enhance),
    dict(type='Equalize'),
    dict(type='Equalize', prob=0.0),  # the identity
    dict(type='Posterize', magnitude_range=(4, 8)),
    dict(type='Rotate', magnitude_range=(0, 30)),
    dict(type='Sharpness', **enhance),
    dict(type='Shear', magnitude_range=(0, 0.3), direction='horizontal'),
    dict(type='Shear', magnitude_range=(0, 0.3), direction='vertical'),
    dict(type='Solarize', magnitude_range=(256, 0)),
    dict(type='Translate', magnitude_range=(0, 0.3), direction='horizontal'),
    dict(type='Translate', magnitude_range=(0, 0.3), direction='vertical'),
]
# Pillow's, as in torchvision: OpenCV's bicubic filter is another one
resizing = dict(scale=224, backend='pillow', interpolation='bicubic')
train_pipeline = [
    dict(type='RandomResizedCrop', crop_ratio_range=(0.8, 1.0), **resizing),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(
        type='RandAugment',
        policies=policies,
        num_policies=2,
        total_level=10,
        magnitude_level=7,
        magnitude_std=0.5,
        hparams=dict(pad_val=[114, 123, 125], interpolation='bicubic'),
    ),
    dict(type='PackInputs'),
]
test_pipeline = [dict(type='Resize', **resizing), dict(type='PackInputs')]

train_dataloader = dict(num_workers=8, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
