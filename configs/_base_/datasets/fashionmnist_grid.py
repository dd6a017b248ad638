# The first `NUM_IMAGES` of Fashion-MNIST's training images (1000 by default), for the experiments
# of docs/evidence.md. Settings are chosen on the last 10,000 training images, `SPLIT=validation`;
# tables count the 10,000 test images, `SPLIT=test`, the default.
_base_ = './fashionmnist.py'
from mmtmix.recipes import variant

num_images = variant('NUM_IMAGES', 1000, 5000, 20000)
splits = dict(validation=dict(split='train', indices=-10000), test=dict(split='test'))

train_dataloader = dict(
    batch_size=64, num_workers=0, drop_last=True, dataset=dict(indices=num_images)
)
val_dataloader = dict(num_workers=0, dataset=splits[variant('SPLIT', 'test', 'validation')])
test_dataloader = val_dataloader
