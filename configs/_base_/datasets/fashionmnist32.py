# Fashion-MNIST as a network for CIFAR sees it: padded to 32x32, three channels. It wants the
# four official files in data/fashion_mnist.
_base_ = './fashionmnist_mini.py'

data_preprocessor = dict(mean=[72.94] * 3, std=[90.02] * 3)

pad = dict(type='Pad', size=(32, 32))
train_pipeline = [
    pad,
    dict(type='RandomCrop', crop_size=32, padding=2),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [pad, dict(type='PackInputs')]
full = dict(data_root='data/fashion_mnist', channels=3)

train_dataloader = dict(dataset=dict(pipeline=train_pipeline, **full))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline, **full))
test_dataloader = val_dataloader
