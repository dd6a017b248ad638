# Fashion-MNIST as in fashionmnist_grid.py, but each image is shrunk and lies somewhere on a canvas
# of the same size, for the experiments of docs/evidence.md
_base_ = './fashionmnist_grid.py'

place = dict(type='PlaceOnCanvas', side=16, size=28)
train_pipeline = [place, *_base_.train_pipeline]
test_pipeline = [place, *_base_.test_pipeline]
# of the placed and cropped training images
data_preprocessor = dict(mean=[23.7], std=[58.8])

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
