# The teachers of the bed. `TEACHER` is like the network that it teaches but for a stem that keeps
# the size of the images, for finer maps (fine, the default); the same, trained with Mixup on half
# of the batches (mixup); or just like it (same). The weights after a tenth of the epochs are kept
# as `early_N.pth`, for searches whose mixes are to be hard.
_base_ = './simple.py'
from mmtmix.recipes import variant

early = max(1, _base_.epochs // 10)
kind = variant('TEACHER', 'fine', 'same', 'mixup')
model = dict(backbone=dict(stem_stride=2 if kind == 'same' else 1))
if kind == 'mixup':
    model['train_cfg'] = dict(augments=dict(type='SampleMixup'), probs=[0.5])
custom_hooks = [dict(type='ChannelsLastHook'), dict(type='EarlyCheckpointHook', epochs=[early])]
default_hooks = dict(checkpoint=dict(interval=_base_.epochs))
randomness = dict(seed=100)  # no student has this seed
