# The teachers of the bed. `TEACHER` is like the network that it teaches but for a stem that
# keeps the size of the images, for finer maps (fine, the default); just like it (same); or fine and
# trained for a tenth of the steps (early).
_base_ = './simple.py'
from mmtmix.recipes import variant

teacher = variant('TEACHER', 'fine', 'same', 'early')
epochs = max(1, _base_.epochs // 10) if teacher == 'early' else _base_.epochs
model = dict(backbone=dict(stem_stride=2 if teacher == 'same' else 1))
param_scheduler = dict(total_steps=epochs)
train_cfg = dict(max_epochs=epochs, val_interval=epochs)
default_hooks = dict(checkpoint=dict(interval=epochs))
randomness = dict(seed=100)  # no student has this seed
