# The search of the demo: Adam and 180 steps of masks alone, as in search_wrn16_fashionmnist_mini.
# The masks are 16x16, the default of `mask_size`. docs/evidence.md measured masks of 28x28.
_base_ = './search_wrn16_fashionmnist_mini.py'

from mmtmix.recipes import stage, teacher_from

teacher = stage('configs/simple/wrn10_fashionmnist_demo.py', 'last.pth')
requires = [teacher]
model = dict(teacher=teacher_from(teacher))
train_dataloader = dict(batch_size=64, dataset=dict(indices=1000))
train_cfg = dict(max_epochs=12, val_interval=6)
default_hooks = dict(logger=dict(interval=15), checkpoint=dict(interval=6))
