# The first `NUM_IMAGES` training images of Glyphs, 50 classes of large objects on clutter.
# Settings are chosen on the validation images (`SPLIT=val`); tables count the test's, the default.
# All have the four drawing styles of training, `STYLES=same`. With `STYLES=new`, the validation
# and the test have one each that no training image has.
_base_ = './glyphs.py'
from mmtmix.recipes import resident, variant

num_images = variant('NUM_IMAGES', 1000, kind=int)
num_classes = 50
shift = variant('STYLES', 'same', 'new')
styles = ['noto', 'noto-v1', 'twemoji', 'emojione'] if shift == 'same' else None
split = variant('SPLIT', 'test', 'val')
scene = dict(num_classes=num_classes, object_size=(0.5, 0.8), clutter=3)

data_preprocessor = dict(num_classes=num_classes)
train = dict(_base_.train_dataloader, batch_size=50, drop_last=True)
train['dataset'] = dict(train['dataset'], num_images=num_images, **scene)
train_dataloader = resident(train)
val_dataloader = dict(dataset=dict(split=split, num_images=2000, styles=styles, **scene))
test_dataloader = val_dataloader
