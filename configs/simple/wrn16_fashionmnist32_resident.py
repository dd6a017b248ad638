# The same training with the images in memory: same images in the same order, other draws of the
# same crops and flips. With a GPU the images are in its memory. docs/data.md lists the supported
# transforms.
_base_ = './wrn16_fashionmnist32.py'
from mmtmix.recipes import resident

train_dataloader = resident(_base_.train_dataloader)
val_dataloader = resident(_base_.val_dataloader)
test_dataloader = val_dataloader
data_preprocessor = dict(type='ResidentPreprocessor')
