# ours, for CPU cores: one cycle of `STEPS` steps of 50 images (1200 by default)
_base_ = []
from mmtmix.recipes import variant

epochs = variant('STEPS', 1200, kind=int) // (variant('NUM_IMAGES', 1000, kind=int) // 50)
if epochs < 1:
    raise ValueError('STEPS must be at least one epoch, NUM_IMAGES / 50')

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True),
)
param_scheduler = dict(
    type='OneCycleLR',
    eta_max=0.1,
    pct_start=0.2,
    total_steps=epochs,
    by_epoch=True,
    convert_to_iter_based=True,
)
train_cfg = dict(by_epoch=True, max_epochs=epochs, val_interval=epochs)
val_cfg = dict()
test_cfg = dict()
custom_hooks = [dict(type='ChannelsLastHook')]
