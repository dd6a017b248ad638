# The first `NUM_IMAGES` training images of Glyphs, 50 classes of large objects on clutter.
# Settings are chosen on the validation images (`SPLIT=val`); tables count the test's, the default.
# `STYLES=new` gives each of the two a drawing style that no training image has; `STYLES=same` has
# the four styles of training everywhere.
_base_ = './glyphs.py'
from mmtmix.recipes import resident, variant

num_images = variant('NUM_IMAGES', 1000, kind=int)
num_classes = 50
styles = dict(same=['noto', 'noto-v1', 'twemoji', 'emojione'], new=None)[
    variant('STYLES', 'new', 'same')
]
split = variant('SPLIT', 'test', 'val')
scene = dict(num_classes=num_classes, object_size=(0.5, 0.8), clutter=3)

data_preprocessor = dict(num_classes=num_classes)
train = dict(_base_.train_dataloader, batch_size=50, drop_last=True)
train['dataset'] = dict(train['dataset'], num_images=num_images, **scene)
train_dataloader = resident(train)
val_dataloader = dict(dataset=dict(split=split, num_images=2000, styles=styles, **scene))
test_dataloader = val_dataloader
