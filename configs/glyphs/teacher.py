# The teachers of the bed. `TEACHER` is like the network that it teaches (same, the default), wider
# (wide), or trained for a tenth of the steps (early).
_base_ = './simple.py'
from mmtmix.recipes import variant

teacher = variant('TEACHER', 'same', 'wide', 'early', 'mixup')
width = dict(wide=4).get(teacher, _base_.width)
epochs = max(1, _base_.epochs // dict(early=10).get(teacher, 1))
model = dict(backbone=dict(widen_factor=width), head=dict(in_channels=64 * width))
if teacher == 'mixup':
    model['train_cfg'] = dict(augments=dict(type='SampleMixup'), probs=[0.5])
param_scheduler = dict(total_steps=epochs)
train_cfg = dict(max_epochs=epochs, val_interval=epochs)
default_hooks = dict(checkpoint=dict(interval=epochs))
randomness = dict(seed=100)  # no student has this seed
