# The first `NUM_IMAGES` of Glyphs' training images (3000 by default), for experiments. Settings
# are chosen on the validation's drawing style, `SPLIT=val`; tables count the images of the test's,
# `SPLIT=test`, the default.
_base_ = './glyphs.py'
from mmtmix.recipes import variant

num_images = variant('NUM_IMAGES', 3000, 300, 1000, 10000, 30000)
splits = dict(val=dict(split='val', num_images=1000), test=dict(split='test', num_images=2000))

train_dataloader = dict(drop_last=True, dataset=dict(num_images=num_images))
val_dataloader = dict(dataset=splits[variant('SPLIT', 'test', 'val')])
test_dataloader = val_dataloader
