# The demo: WRN-10-1 without mixing on the first 1,000 of the images that come with the package,
# 256 steps; the teacher of its search.
_base_ = './wrn16_fashionmnist_mini.py'

model = dict(backbone=dict(depth=10))
train_dataloader = dict(batch_size=64, dataset=dict(indices=1000))
param_scheduler = dict(total_steps=16, eta_max=0.1)
train_cfg = dict(max_epochs=16, val_interval=8)
default_hooks = dict(logger=dict(interval=16), checkpoint=dict(interval=8))
