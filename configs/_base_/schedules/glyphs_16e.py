# ours, for two CPU cores: one cycle of 16 epochs, in the precision that the CPU is fast in
_base_ = './fashionmnist_mini_15e.py'
param_scheduler = dict(total_steps=16)
train_cfg = dict(max_epochs=16, val_interval=8)
