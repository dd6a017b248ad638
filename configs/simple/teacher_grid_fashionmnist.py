# The teachers of the grid of docs/evidence.md. `TEACHER` is like the network that it teaches
# (same, the default), wider, or trained for a quarter of the steps (early), four times as many
# (late) or with CutMix (cutmix).
_base_ = './grid_fashionmnist.py'
from mmtmix.recipes import variant

teachers = dict(
    same=dict(),
    wider=dict(width=2 * _base_.width),
    early=dict(steps=390),
    late=dict(steps=6240),
    cutmix=dict(augments=dict(type='SampleCutMix')),
)
teacher = teachers[variant('TEACHER', *teachers)]

width = teacher.get('width', _base_.width)
epochs = teacher.get('steps', 1560) // (_base_.num_images // 64)
model = dict(backbone=dict(widen_factor=width), head=dict(in_channels=64 * width))
if 'augments' in teacher:
    model['train_cfg'] = dict(augments=teacher['augments'])
param_scheduler = dict(total_steps=epochs)
train_cfg = dict(max_epochs=epochs, val_interval=epochs)
# no student has this seed
randomness = dict(seed=100)
# the early teacher of searches whose `OBJECTIVE` is hard
custom_hooks = [dict(type='ChannelsLastHook'), dict(type='EarlyCheckpointHook', epochs=[2])]
default_hooks = dict(checkpoint=dict(interval=max(1, epochs // 4)))
